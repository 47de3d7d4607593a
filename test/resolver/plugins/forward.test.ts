import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { issueAuthority, issueCertificate } from '#cluster/pki/issue.ts'
import { generateKey } from '#cluster/pki/key.ts'
import { sleep, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aData, nameData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { startConfiguration, whileTimePasses } from '../../support/forward-world.ts'
import { freePort } from '../../support/free-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aRecord, type StubOptions, startUpstream } from '../../support/upstream.ts'

const answering =
  (address: string): StubOptions['respond'] =>
  ({ question }) => ({ answers: [aRecord(question.name, 60, address)] })

test('passes questions on with random id and case, and gives the client its own spelling back', async t => {
  const upstream = await startUpstream(t, { respond: answering('192.0.2.80') })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const name = 'WWW.a-long-name-with-letters.example.org.'
  for (let round = 0; round < 4; round++) {
    const reply = await ask(configuration, name)
    t.is(reply?.question?.name, name)
    t.is(reply?.answers[0]?.name, name)
    t.is(aData.decode(reply!.answers[0]!.data), '192.0.2.80')
    t.true(reply?.recursionAvailable)
    t.false(reply?.authoritative)
  }
  const spellings = new Set(upstream.queries.map(({ question }) => question.name))
  t.true(spellings.size > 1 && !spellings.has(name), [...spellings].join())
  t.true(new Set(upstream.queries.map(({ id }) => id)).size > 1)
  t.true(upstream.queries.every(({ edns, recursionDesired }) => edns?.udpSize === 1232 && recursionDesired))
})

test('names in the data do not keep the random case', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question: { name } }) => ({
      answers: [{ name, type: recordTypes.CNAME, class: 1, ttl: 60, data: nameData.encode(`alias.${name}`) }],
    }),
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const reply = await ask(configuration, 'abcdefghijklmnop.example.org.')
  t.is(nameData.decode(reply!.answers[0]!.data), 'alias.abcdefghijklmnop.example.org.')
})

test('a reply with another id or question is not heard', async t => {
  let forged = 0
  const upstream = await startUpstream(t, {
    respond: ({ packet }) => {
      const reply = Buffer.from(packet)
      reply[2]! |= 0x80
      if (++forged === 1) reply[0]! ^= 0xff
      else reply[13]! = 'x'.charCodeAt(0)
      return reply
    },
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n  max_fails 0\n }\n}`,
  )
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  const reply = await whileTimePasses(world, ask(configuration, 'www.example.org.', { edns }))
  t.is(reply?.rcode, rcodes.SERVFAIL)
  t.is(reply?.extendedErrors?.[0]?.code, 22)
  t.regex(reply?.extendedErrors?.[0]?.text ?? '', /^no reply from 127\.0\.0\.1#\d+ over UDP in 2000 ms: i\/o timeout$/)
  t.is(forged, 2)
})

test('a refused connection is told in the system’s words', async t => {
  const lines = `force_tcp\n  max_fails 0`
  const { configuration } = await startConfiguration(
    t,
    `. {\n forward . 127.0.0.1:${await freePort()} {\n  ${lines}\n }\n}`,
  )
  const reply = await ask(configuration, 'www.example.org.', { edns: { udpSize: 1232, dnssecOk: false, options: [] } })
  t.is(reply?.rcode, rcodes.SERVFAIL)
  t.regex(reply?.extendedErrors?.[0]?.text ?? '', /: connection refused$/)
})

test('a server that does not keep the case is asked over TCP, then known', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ packet, question }) => {
      const reply = Buffer.from(packet)
      reply[2]! |= 0x80
      reply.write(question.canonicalName.split('.')[0]!, 13, 'latin1')
      return reply
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const name = 'an-unusually-long-first-label-so-that-chance-plays-no-part.org.'
  for (let round = 0; round < 2; round++) t.is((await ask(configuration, name))?.rcode, 0)
  t.deepEqual(
    upstream.queries.map(({ transport }) => transport),
    ['udp', 'tcp', 'udp'],
  )
})

test('TC goes to clients on UDP; those on TCP are asked for over TCP; force_tcp and prefer_udp say otherwise', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question, transport }) => ({
      truncated: transport === 'udp',
      answers: [aRecord(question.name, 60, '192.0.2.1')],
    }),
  })
  const cases = [
    ['', 'udp', true, ['udp']],
    ['', 'tcp', false, ['tcp']],
    ['force_tcp', 'udp', false, ['tcp']],
    ['prefer_udp', 'tcp', false, ['udp', 'tcp']],
    ['prefer_udp', 'udp', true, ['udp']],
  ] as const
  for (const [option, transport, truncated, transports] of cases) {
    upstream.queries.length = 0
    const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target} {\n  ${option}\n }\n}`)
    const reply = await ask(configuration, 'www.example.org.', { transport })
    t.is(reply?.truncated, truncated)
    t.deepEqual(
      upstream.queries.map(query => query.transport),
      [...transports],
    )
  }
})

test('questions over TCP share a connection, whose replies come in any order', async t => {
  const held: (() => void)[] = []
  const upstream = await startUpstream(t, {
    respond: ({ question }) =>
      new Promise(resolve => {
        held.push(() => resolve({ answers: [aRecord(question.name, 60, `192.0.2.${question.canonicalName[0]}`)] }))
        if (held.length === 3) for (const release of held.reverse()) release()
      }),
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n  force_tcp\n }\n}`,
  )
  const replies = await Promise.all([1, 2, 3].map(number => ask(configuration, `${number}.example.org.`)))
  t.deepEqual(
    replies.map(reply => aData.decode(reply!.answers[0]!.data)),
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  )
  const text = await world.registry.metrics()
  t.true(
    text.includes(`coredns_proxy_conn_cache_misses_total{proxy_name="forward",to="${upstream.target}",proto="tcp"} 1`),
  )
  t.true(
    text.includes(`coredns_proxy_conn_cache_hits_total{proxy_name="forward",to="${upstream.target}",proto="tcp"} 2`),
  )
})

test('the same question under way is asked once; max_concurrent refuses what is above it', async t => {
  let release = () => {}
  const upstream = await startUpstream(t, {
    respond: ({ question }) =>
      new Promise(resolve => {
        release = () => resolve({ answers: [aRecord(question.name, 60, '192.0.2.1')] })
      }),
  })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n  max_concurrent 2\n }\n}`,
  )
  const waiting = [ask(configuration, 'www.example.org.'), ask(configuration, 'WWW.example.org.')]
  t.is((await ask(configuration, 'www.example.org.'))?.rcode, rcodes.REFUSED)
  while (upstream.queries.length === 0) await new Promise(resolve => setImmediate(resolve))
  release()
  const replies = await Promise.all(waiting)
  t.deepEqual(
    replies.map(reply => reply?.answers[0]?.name),
    ['www.example.org.', 'WWW.example.org.'],
  )
  t.is(upstream.queries.length, 1)
  t.true((await world.registry.metrics()).includes('coredns_forward_max_concurrent_rejects_total 1'))
})

test('a dead server costs no answer: the next is asked, the dead one probed until it is back', async t => {
  let dead = true
  const probes: string[] = []
  const first = await startUpstream(t, {
    respond: query => {
      if (query.question.type === recordTypes.NS) probes.push(query.question.canonicalName)
      return dead ? undefined : answering('192.0.2.1')(query)
    },
  })
  const second = await startUpstream(t, { respond: answering('192.0.2.2') })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${first.target} ${second.target} {\n  policy sequential\n  health_check 1s domain probe.example\n }\n}`,
  )
  let turn = 0
  const answer = async () => {
    const start = world.clock.monotonic()
    const reply = await whileTimePasses(world, ask(configuration, `www.zone-${turn++}.org.`))
    return [aData.decode(reply!.answers[0]!.data), world.clock.monotonic() - start >= 2000] as const
  }
  t.deepEqual(await answer(), ['192.0.2.2', true])
  while (!(await world.registry.metrics()).includes(`seamark_forward_upstream_down{to="${first.target}"} 1`))
    await whileTimePasses(world, sleep(systemClock, 1))
  // Down: it is not waited for any more.
  t.deepEqual(await answer(), ['192.0.2.2', false])
  dead = false
  while ((await answer())[0] !== '192.0.2.1') await whileTimePasses(world, sleep(systemClock, 1))
  t.deepEqual(new Set(probes), new Set(['probe.example.']))
  const text = await world.registry.metrics()
  t.regex(text, /coredns_proxy_healthcheck_failures_total\{proxy_name="forward",to="127\.0\.0\.1:\d+"\} [2-9]/)
  t.true(text.includes(`seamark_forward_upstream_down{to="${first.target}"} 0`))
  t.regex(
    text,
    /coredns_proxy_request_duration_seconds_count\{proxy_name="forward",to="127\.0\.0\.1:\d+",rcode="NOERROR"\} /,
  )
})

test('all servers down: one question an interval is tried, the others fail at once; with failfast all do', async t => {
  for (const [option, tried] of [
    ['max_fails 1', true],
    ['max_fails 1\n  failfast_all_unhealthy_upstreams', false],
  ] as const) {
    let questions = 0
    const dead = await startUpstream(t, {
      respond: ({ question }) => void (questions += Number(question.type === recordTypes.A)),
    })
    const { world, configuration } = await startConfiguration(t, `. {\n forward . ${dead.target} {\n  ${option}\n }\n}`)
    const edns = { udpSize: 1232, dnssecOk: false, options: [] }
    t.is((await whileTimePasses(world, ask(configuration, 'a.example.org.')))?.rcode, rcodes.SERVFAIL)
    while (!(await world.registry.metrics()).includes(`seamark_forward_upstream_down{to="${dead.target}"} 1`))
      await whileTimePasses(world, sleep(systemClock, 1))
    questions = 0
    const replies = await whileTimePasses(
      world,
      Promise.all(['b', 'c', 'd', 'e'].map(name => ask(configuration, `${name}.example.org.`, { edns }))),
    )
    t.true(replies.every(reply => reply?.rcode === rcodes.SERVFAIL && reply.extendedErrors?.[0]?.code === 22))
    const texts = replies.map(reply => reply?.extendedErrors?.[0]?.text)
    t.is(texts.filter(text => text === `all upstreams are down: ${dead.target}`).length, tried ? 3 : 4)
    t.is(questions > 0, tried)
    t.regex(await world.registry.metrics(), /coredns_forward_healthcheck_broken_total [4-9]/)
  }
})

test('policies, failover, next', async t => {
  const refusing = await startUpstream(t, { respond: () => ({ rcode: rcodes.REFUSED }) })
  const empty = await startUpstream(t, { respond: () => ({}) })
  const good = await startUpstream(t, { respond: answering('192.0.2.9') })
  const rcodeOf = async (lines: string) => {
    const { configuration } = await startConfiguration(t, `. {\n ${lines}\n}`)
    const reply = await ask(configuration, 'www.example.org.')
    return [reply?.rcode, reply?.answers.length]
  }
  const [bad, none, fine] = [refusing.target, empty.target, good.target]
  t.deepEqual(await rcodeOf(`forward . ${bad} ${fine} {\n policy sequential\n }`), [5, 0])
  t.deepEqual(await rcodeOf(`forward . ${bad} ${fine} {\n policy sequential\n failover REFUSED SERVFAIL\n }`), [0, 1])
  t.deepEqual(await rcodeOf(`forward . ${bad} {\n failover REFUSED\n }`), [5, 0])
  t.deepEqual(await rcodeOf(`forward . ${bad} {\n next REFUSED\n }\n forward . ${fine}`), [0, 1])
  t.deepEqual(await rcodeOf(`forward . ${bad} {\n next REFUSED\n }`), [5, 0])
  t.deepEqual(await rcodeOf(`forward . ${none} {\n next_on_nodata\n }\n forward . ${fine}`), [0, 1])
  t.deepEqual(await rcodeOf(`forward example.net ${bad}\n forward . ${fine}`), [0, 1])
  t.deepEqual(await rcodeOf(`forward . ${bad} {\n except example.org\n }\n forward . ${fine}`), [0, 1])

  const { configuration } = await startConfiguration(t, `. {\n forward . ${bad} ${fine} {\n policy round_robin\n }\n}`)
  const turns: unknown[] = []
  for (let round = 0; round < 4; round++) turns.push((await ask(configuration, 'www.example.org.'))?.rcode)
  t.deepEqual(turns, [5, 0, 5, 0])
})

test('garbage with TC, over UDP and then over TCP without end, becomes SERVFAIL', async t => {
  const upstream = await startUpstream(t, {
    respond({ packet }) {
      const reply = Buffer.concat([packet, Buffer.from([0xff])])
      reply.writeUInt16BE(0x8200, 2)
      return reply
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target} {\n max_fails 0\n }\n}`)
  t.is((await ask(configuration, 'a.example.'))?.rcode, rcodes.SERVFAIL)
  t.deepEqual(
    upstream.queries.map(({ transport }) => transport),
    ['udp', 'tcp', 'udp', 'tcp'],
  )
})

test('a resolv.conf is read again when it changes; one without servers changes nothing', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'resolv.conf')
  writeFileSync(file, 'search example.org\nnameserver 127.0.0.9\n')
  let warnings = 0
  const world = testWorld({ logger: Object.assign(Object.create(silentLogger), { warn: () => void warnings++ }) })
  const configuration = configure('. {\n forward . ./resolv.conf {\n  max_fails 0\n }\n errors\n}', world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const asked = async () => {
    await ask(configuration, 'www.example.org.')
    return /127\.0\.0\.\d+/.exec(world.lines.at(-1)!)?.[0]
  }
  t.is(await asked(), '127.0.0.9')
  writeFileSync(file, 'nameserver 127.0.0.10\n')
  while ((await asked()) !== '127.0.0.10') await world.clock.advance(500)
  writeFileSync(file, '# none\n')
  while (warnings === 0) await world.clock.advance(500)
  t.is(await asked(), '127.0.0.10')
  writeFileSync(file, 'nameserver 127.0.0.11\nnameserver nonsense\n')
  while ((await asked()) !== '127.0.0.11') await world.clock.advance(500)
  t.is(warnings, 1)
})

test('over TLS: the certificate must be trusted and name the server', async t => {
  const folder = temporaryFolder(t)
  const [rootKey, key] = [await generateKey(), await generateKey()]
  const root = await issueAuthority(rootKey, 'test', Date.now())
  const subject = { commonName: 'dns', organizations: [] }
  const authority = { key: rootKey, certificate: new X509Certificate(root) }
  const request = { subject, key, purpose: 'server', names: ['dns.example'] } as const
  const cert = await issueCertificate(authority, request, Date.now())
  writeFileSync(join(folder, 'ca.pem'), root)
  const upstream = await startUpstream(t, { respond: answering('192.0.2.53'), tls: { key: key.pem, cert } })
  const rcodeWith = async (lines: string, target = `tls://${upstream.target}`) => {
    const { world, configuration } = await startConfiguration(
      t,
      `. {\n forward . ${target} {\n max_fails 0\n ${lines}\n }\n}`,
      { folder },
    )
    return (await whileTimePasses(world, ask(configuration, 'www.example.org.')))?.rcode
  }
  t.is(await rcodeWith('tls ca.pem\n tls_servername dns.example'), rcodes.NOERROR)
  t.is(await rcodeWith('tls ca.pem', `tls://127.0.0.1%dns.example:${upstream.port}`), rcodes.NOERROR)
  t.is(await rcodeWith('tls ca.pem\n tls_servername other.example'), rcodes.SERVFAIL)
  t.is(await rcodeWith('tls_servername dns.example'), rcodes.SERVFAIL)
})

const wrong: Record<string, readonly [lines: string, problem: RegExp]> = {
  'no server': ['forward .', /^Corefile:2: forward: needs a zone and the servers for it/],
  'a mistyped address': ['forward . 192.0.2.300', /"192\.0\.2\.300" is neither an IP address nor a host name/],
  'a file that is not there': ['forward . /no/where', /"\/no\/where" cannot be read/],
  'gRPC upstreams': ['forward . grpc://192.0.2.1', /does not forward by grpc:\/\//],
  'a source that is no address': ['forward . 192.0.2.1 {\n source_address eth0\n }', /"eth0" is not an IP address/],
  'two sources of a family': [
    'forward . 192.0.2.1 {\n source_address 127.0.0.1 127.0.0.2\n }',
    /"127\.0\.0\.2" is a second address of its family/,
  ],
  'a resolver by name': ['forward . dns.example {\n resolver ns.example\n }', /"ns\.example" is not the address/],
  'a port out of range': ['forward . 192.0.2.1:70000', /70000 is not a port/],
  'too many': [
    `forward . ${Array.from({ length: 16 }, (_, i) => `192.0.2.${i}`).join(' ')}`,
    /16 upstreams, but at most 15/,
  ],
  'an unknown policy': ['forward . 192.0.2.1 {\n policy round-robin\n }', /Corefile:3: .*did you mean "round_robin"\?/],
  'an unknown rcode': ['forward . 192.0.2.1 {\n failover SERVFAL\n }', /"SERVFAL" is not an rcode/],
  'a health check out of bounds': [
    'forward . 192.0.2.1 {\n health_check 1ms\n }',
    /"1ms" is not a duration \(100ms to 1h/,
  ],
  'a certificate that is not there': [
    'forward . tls://192.0.2.1 {\n tls nothing.pem\n }',
    /"nothing\.pem" cannot be read/,
  ],
}

for (const [name, [lines, problem]] of Object.entries(wrong))
  test(`tells of ${name}`, t => t.regex(problemsOf(`. {\n ${lines}\n}`)[0] ?? '', problem))
