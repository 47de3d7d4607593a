/** How `forward` reaches its upstreams: HTTPS, host names, source addresses, connections. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import { ednsOptionCodes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { findOption } from '#resolver/wire/edns.ts'
import { aData, nameData } from '#resolver/wire/rdata.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { startDohUpstream } from '../../support/doh-upstream.ts'
import { startConfiguration, whileTimePasses } from '../../support/forward-world.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aRecord, type StubUpstream, startUpstream } from '../../support/upstream.ts'

const edns = { udpSize: 1232, dnssecOk: false, options: [] }
const answers = (address: string) => (query: { question: { name: string } }) => ({
  answers: [aRecord(query.question.name, 60, address)],
})

for (const method of ['POST', 'GET'] as const)
  test(`https:// upstreams by ${method}: one connection, id 0, padded, TTLs less by the age`, async t => {
    const authority = await makeAuthority()
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, 'ca.pem'), authority.ca)
    const certificate = await authority.server()
    const upstream = await startDohUpstream(t, { certificate, respond: answers('192.0.2.44'), headers: { age: 20 } })
    const { configuration } = await startConfiguration(
      t,
      `. {\n forward . https://127.0.0.1%dns.example:${upstream.port}/q?k=1 {\n tls ca.pem\n doh_method ${method}\n }\n}`,
      { folder },
    )
    const replies = await Promise.all(['a', 'b', 'c'].map(name => ask(configuration, `${name}.example.org.`)))
    for (const reply of replies) {
      t.is(aData.decode(reply!.answers[0]!.data), '192.0.2.44')
      t.is(reply!.answers[0]!.ttl, 40)
    }
    t.is(upstream.sessions.length, 1)
    t.true(upstream.queries.every(({ id, packet }) => id === 0 && packet.length % 128 === 0))
    t.deepEqual(new Set(upstream.requests.map(headers => headers[':method'])), new Set([method]))
    const [headers] = upstream.requests
    t.regex(String(headers?.[':path']), method === 'GET' ? /^\/q\?k=1&dns=[\w-]+$/ : /^\/q\?k=1$/)
    t.is(headers?.accept, 'application/dns-message')
    t.is(headers?.[':authority'], `dns.example:${upstream.port}`)
  })

test('https:// upstreams: what is no good reply is SERVFAIL with the reason, and tells no secret of the URL', async t => {
  const authority = await makeAuthority()
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'ca.pem'), authority.ca)
  const certificate = await authority.server()
  const reasonWith = async (headers: Record<string, string | number>, tls = 'tls ca.pem') => {
    const upstream = await startDohUpstream(t, { certificate, respond: answers('192.0.2.44'), headers })
    const { world, configuration } = await startConfiguration(
      t,
      `. {\n forward . https://127.0.0.1:${upstream.port}/secret-path {\n max_fails 0\n ${tls}\n }\n}`,
      { folder },
    )
    const reply = await whileTimePasses(world, ask(configuration, 'www.example.org.', { edns }))
    t.is(reply?.rcode, rcodes.SERVFAIL)
    const [error] = reply!.extendedErrors!
    t.false(error!.text.includes('secret'))
    return `${error!.code} ${error!.text.replace(String(upstream.port), 'PORT')}`
  }
  t.is(await reasonWith({ ':status': 429 }), '23 127.0.0.1#PORT over HTTPS: HTTP status 429')
  t.is(
    await reasonWith({ 'content-type': 'text/html' }),
    '23 127.0.0.1#PORT over HTTPS: the reply is "text/html", no DNS message',
  )
  t.regex(await reasonWith({}, ''), /^23 127\.0\.0\.1#PORT over HTTPS: (self-signed|unable to )/)
})

/** 127.0.0.2 and 127.0.0.3 with one port: another one where somebody has it at the second. */
const startPair = async (t: ExecutionContext): Promise<readonly [StubUpstream, StubUpstream]> => {
  for (;;) {
    const first = await startUpstream(t, { respond: answers('192.0.2.1'), host: '127.0.0.2' })
    try {
      return [first, await startUpstream(t, { respond: answers('192.0.2.2'), host: '127.0.0.3', port: first.port })]
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
      await first.close()
    }
  }
}

test('host names are looked up by the resolver, along aliases, and again when the TTL has run out', async t => {
  const [hosts, other] = await startPair(t)
  let address = '127.0.0.2'
  const asked: string[] = []
  const resolver = await startUpstream(t, {
    respond: ({ question: { name, canonicalName, type } }) => {
      asked.push(canonicalName)
      if (type !== recordTypes.A) return {}
      const alias = { name, type: recordTypes.CNAME, class: 1, ttl: 900, data: nameData.encode('ns.example.') }
      return { answers: [alias, aRecord('ns.example.', 30, address), aRecord('other.example.', 30, '127.0.0.9')] }
    },
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . dns.example:${hosts.port} {\n resolver ${resolver.target}\n }\n}`,
  )
  let turn = 0
  const answer = async () => {
    const reply = await whileTimePasses(world, ask(configuration, `${turn++}.example.org.`))
    return aData.decode(reply!.answers[0]!.data)
  }
  // The first question waits for the address.
  t.is(await answer(), '192.0.2.1')
  address = '127.0.0.3'
  while (asked.length < 4) await whileTimePasses(world, sleep(systemClock, 1))
  t.true(world.clock.monotonic() >= 30_000)
  while ((await answer()) !== '192.0.2.2') await whileTimePasses(world, sleep(systemClock, 1))
  t.deepEqual(new Set(asked), new Set(['dns.example.']))
  t.true(other.queries.length > 0)
  // What cannot be found any more stays as it was.
  await resolver.close()
  for (let round = 0; round < 20; round++) await whileTimePasses(world, sleep(systemClock, 5))
  t.is(await answer(), '192.0.2.2')
})

test('a host name that nobody knows: SERVFAIL that says so, and the server is up', async t => {
  const resolver = await startUpstream(t, { respond: () => ({ rcode: rcodes.NXDOMAIN }) })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n hosts {\n 192.0.2.9 own.example\n fallthrough\n }\n forward . dns.example {\n resolver ${resolver.target}\n }\n}`,
  )
  t.is((await ask(configuration, 'own.example.'))?.rcode, rcodes.NOERROR)
  const reply = await whileTimePasses(world, ask(configuration, 'www.example.org.', { edns }))
  t.is(reply?.rcode, rcodes.SERVFAIL)
  t.deepEqual(reply?.extendedErrors, [{ code: 22, text: 'no address of an upstream is known' }])
})

test('source_address: questions come from there; one that is not ours is no failure of the upstream', async t => {
  const upstream = await startUpstream(t, { respond: answers('192.0.2.1') })
  for (const option of ['', 'force_tcp']) {
    const text = `. {\n forward . ${upstream.target} {\n source_address 127.0.0.8\n ${option}\n }\n}`
    const { configuration } = await startConfiguration(t, text)
    t.is((await ask(configuration, 'www.example.org.'))?.rcode, rcodes.NOERROR)
    t.is(upstream.queries.at(-1)?.client.address, '127.0.0.8')
  }
  const before = upstream.queries.length
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n source_address 192.0.2.99\n max_fails 1\n }\n}`,
  )
  for (const name of ['a', 'b', 'c']) {
    const reply = await ask(configuration, `${name}.example.org.`, { edns })
    t.is(reply?.rcode, rcodes.SERVFAIL)
    t.is(reply?.extendedErrors?.[0]?.code, 0)
    t.regex(reply?.extendedErrors?.[0]?.text ?? '', /^this server could not open a socket: .*EADDRNOTAVAIL/)
  }
  await world.clock.advance(60_000)
  t.is(upstream.queries.length, before)
  const text = await world.registry.metrics()
  t.regex(text, /^seamark_forward_local_errors_total 3$/m)
  t.notRegex(text, /seamark_forward_upstream_down\{/)
})

test('where this machine has no socket for one upstream, another is asked', async t => {
  const respond = answers('192.0.2.1')
  const [four, six] = [await startUpstream(t, { respond }), await startUpstream(t, { respond, host: '::1' })]
  const options = 'policy sequential\n source_address 192.0.2.99'
  const { configuration } = await startConfiguration(
    t,
    `. {\n forward . ${four.target} ${six.target} {\n ${options}\n }\n}`,
  )
  t.is((await ask(configuration, 'www.example.org.'))?.rcode, rcodes.NOERROR)
  t.deepEqual([four.queries.length, six.queries.length], [0, 1])
})

test('over UDP each question has a port that nobody can tell beforehand, and none is used for long', async t => {
  const upstream = await startUpstream(t, { respond: answers('192.0.2.1') })
  const { world, configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const portsOf = async (count: number) => {
    const before = upstream.queries.length
    for (let turn = 0; turn < count; turn++) await ask(configuration, `${before}-${turn}.example.org.`)
    return upstream.queries.slice(before).map(({ client }) => client.port)
  }
  const ports = await portsOf(400)
  const times = Map.groupBy(ports, port => port)
  for (const [port, { length }] of times) t.true(length <= 16, `${port}: ${length}`)
  const again = ports.slice(1).filter((port, index) => port === ports[index])
  t.true(again.length < 80, ports.join())
  const steps = new Set(ports.slice(1).map((port, index) => port - ports[index]!))
  t.true(steps.size > 40, ports.join())
  await world.clock.advance(10_000)
  const later = await portsOf(100)
  // The system may choose a port again.
  t.true(later.filter(port => times.has(port)).length < 50, `${ports.join()} ${later.join()}`)
})

test('over UDP questions that are under way at once have each their own port', async t => {
  const upstream = await startUpstream(t, {
    respond: query => new Promise(resolve => setImmediate(() => resolve(answers('192.0.2.1')(query)))),
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  for (let round = 0; round < 5; round++) {
    const before = upstream.queries.length
    await Promise.all(Array.from({ length: 100 }, (_, index) => ask(configuration, `${round}-${index}.example.org.`)))
    const ports = upstream.queries.slice(before).map(({ client }) => client.port)
    t.is(new Set(ports).size, 100)
  }
})

test('hundreds of questions at once go over at most four connections of TLS, padded', async t => {
  const authority = await makeAuthority()
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'ca.pem'), authority.ca)
  const held: (() => void)[] = []
  let all = 1000
  const upstream = await startUpstream(t, {
    tls: await authority.server(),
    respond: query =>
      new Promise(resolve => {
        held.push(() => resolve(answers('192.0.2.1')(query)))
        if (held.length === all) for (const release of held.splice(0).reverse()) release()
      }),
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . tls://127.0.0.1%dns.example:${upstream.port} {\n tls ca.pem\n }\n}`,
    { folder },
  )
  const replies = await Promise.all(
    Array.from({ length: all }, (_, index) => ask(configuration, `${index}.example.org.`)),
  )
  t.true(replies.every(reply => reply?.answers.length === 1))
  const connections = () => new Set(upstream.queries.map(({ client }) => client.port)).size
  t.is(connections(), 4)
  t.true(upstream.queries.every(({ packet }) => packet.length % 128 === 0))
  t.true(upstream.queries.every(query => findOption(query.edns!, ednsOptionCodes.KEEPALIVE)))
  t.regex(await world.registry.metrics(), /conn_cache_misses_total\{[^}]*proto="tcp-tls"\} 4/)
  // A few at a time: one connection is enough, the others fall idle.
  all = 1
  const before = upstream.queries.length
  for (let index = 0; index < 20; index++) await ask(configuration, `again-${index}.example.org.`)
  t.is(new Set(upstream.queries.slice(before).map(({ client }) => client.port)).size, 1)
})

test('max_idle_conns is the limit; max_age ends a connection that is never idle', async t => {
  const held: (() => void)[] = []
  const upstream = await startUpstream(t, {
    respond: query =>
      new Promise(resolve => {
        held.push(() => resolve(answers('192.0.2.1')(query)))
        if (held.length === 200) for (const release of held.splice(0)) release()
      }),
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n force_tcp\n max_idle_conns 2\n max_age 1m\n }\n}`,
  )
  const round = async () => {
    const before = upstream.queries.length
    await Promise.all(Array.from({ length: 200 }, (_, index) => ask(configuration, `${index}.example.org.`)))
    return new Set(upstream.queries.slice(before).map(({ client }) => client.port))
  }
  const first = await round()
  t.is(first.size, 2)
  for (let second = 0; second < 55; second += 5) {
    await world.clock.advance(5000)
    t.deepEqual(await round(), first)
  }
  await world.clock.advance(5000)
  const later = await round()
  t.is(later.size, 2)
  t.true([...later].every(port => !first.has(port)))
})

test('a connection is kept for as long as the server says (RFC 7828), and expire at most', async t => {
  const portsWith = async (units: number, wait: number) => {
    const data = Buffer.alloc(2)
    data.writeUInt16BE(units)
    const upstream = await startUpstream(t, {
      respond: query => ({ ...answers('192.0.2.1')(query), ednsOptions: [{ code: ednsOptionCodes.KEEPALIVE, data }] }),
    })
    const { world, configuration } = await startConfiguration(
      t,
      `. {\n forward . ${upstream.target} {\n force_tcp\n expire 10s\n }\n}`,
    )
    await ask(configuration, 'a.example.org.')
    await ask(configuration, 'b.example.org.')
    await world.clock.advance(wait)
    await ask(configuration, 'c.example.org.')
    return upstream.queries.map(({ client }) => client.port)
  }
  const sameAs = (ports: readonly number[]) => ports.map(port => ports.indexOf(port))
  t.deepEqual(sameAs(await portsWith(50, 4900)), [0, 0, 0])
  t.deepEqual(sameAs(await portsWith(50, 5000)), [0, 0, 2])
  t.deepEqual(sameAs(await portsWith(0xffff, 10_000)), [0, 0, 2])
})

test('a connection that the server has closed costs no question', async t => {
  const upstream = await startUpstream(t, { respond: answers('192.0.2.1') })
  // A relay whose connections the test can cut at both ends.
  const cuts: (() => void)[] = []
  const relay = createServer(inner => {
    const outer = connect(upstream.port, '127.0.0.1')
    inner.on('error', () => {})
    outer.on('error', () => {})
    inner.pipe(outer).pipe(inner)
    cuts.push(() => {
      inner.resetAndDestroy()
      outer.destroy()
    })
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.teardown(() => {
    for (const cut of cuts) cut()
    relay.close()
  })
  const { port } = relay.address() as { port: number }
  const { configuration } = await startConfiguration(t, `. {\n forward . 127.0.0.1:${port} {\n force_tcp\n }\n}`)
  t.is((await ask(configuration, 'a.example.org.'))?.rcode, rcodes.NOERROR)
  cuts[0]!()
  // At once: the end of the connection has not been heard of yet.
  t.is((await ask(configuration, 'b.example.org.'))?.rcode, rcodes.NOERROR)
  t.is(cuts.length, 2)
})

test('a reload that leaves the line as it was leaves the connections open', async t => {
  const upstream = await startUpstream(t, { respond: answers('192.0.2.1') })
  const world = testWorld()
  const text = `. {\n forward . ${upstream.target} {\n force_tcp\n }\n}`
  const old = configure(text, world)
  await old.start(new AbortController().signal)
  await ask(old, 'a.example.org.')
  const renewed = configure(text, world)
  renewed.adopt(old)
  await renewed.start(new AbortController().signal)
  await old.close()
  t.teardown(() => renewed.close())
  t.is((await ask(renewed, 'b.example.org.'))?.rcode, rcodes.NOERROR)
  t.is(new Set(upstream.queries.map(({ client }) => client.port)).size, 1)
  await renewed.close()
})
