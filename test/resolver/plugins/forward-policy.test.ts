/** Which upstream `forward` asks, when a second one, and when no more. */
import test from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { ask } from '../../support/dns-environment.ts'
import { areQuestionsSettled, startConfiguration, whileTimePasses } from '../../support/forward-world.ts'
import { aRecord, type StubOptions, startUpstream } from '../../support/upstream.ts'

const answering =
  (address: string): StubOptions['respond'] =>
  ({ question }) => ({ answers: [aRecord(question.name, 60, address)] })

const isQuestion = ({ question }: { question: { type: number } }) => question.type === recordTypes.A

test('fastest: when the quicker of two dies, no question waits for it, and soon it is asked nothing', async t => {
  let dead = false
  const first = await startUpstream(t, { respond: query => (dead ? undefined : answering('192.0.2.1')(query)) })
  const second = await startUpstream(t, {
    respond: async query => {
      await sleep(world.clock, 300)
      return answering('192.0.2.2')(query)
    },
  })
  const { world, configuration } = await startConfiguration(t, `. {\n forward . ${first.target} ${second.target}\n}`)
  const settled = areQuestionsSettled(configuration, [first, second])
  const round = async (names: string) => {
    const start = world.clock.monotonic()
    const questions = Array.from({ length: 10 }, (_, index) => ask(configuration, `www.${names}-${index}.org.`))
    const replies = await whileTimePasses(world, Promise.all(questions), settled)
    t.true(replies.every(reply => reply?.rcode === rcodes.NOERROR))
    return world.clock.monotonic() - start
  }
  for (let turn = 0; turn < 10; turn++) await round(`before-${turn}`)
  t.true(first.queries.length > second.queries.length)
  dead = true
  // Less than the two seconds after which the question is given up.
  for (let turn = 0; turn < 5; turn++) {
    const took = await round(`after-${turn}`)
    t.true(took < 2000, String(took))
  }
  const text = await world.registry.metrics()
  t.regex(text, /seamark_forward_hedges_total\{won="true"\} [1-9]/)
  while (!(await world.registry.metrics()).includes(`seamark_forward_upstream_down{to="${first.target}"} 1`))
    await whileTimePasses(world, sleep(systemClock, 1), settled)
  const down = first.queries.filter(isQuestion).length
  await round('down')
  t.is(first.queries.filter(isQuestion).length, down)
  dead = false
  while (!(await world.registry.metrics()).includes(`seamark_forward_upstream_down{to="${first.target}"} 0`))
    await whileTimePasses(world, sleep(systemClock, 1))
})

test('a lost datagram: a single upstream is asked again long before it is given up', async t => {
  let seen = 0
  const upstream = await startUpstream(t, {
    respond: query => (seen++ === 0 ? undefined : answering('192.0.2.1')(query)),
  })
  const { world, configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const start = world.clock.monotonic()
  t.is((await whileTimePasses(world, ask(configuration, 'www.example.org.')))?.rcode, rcodes.NOERROR)
  t.true(world.clock.monotonic() - start < 2000)
  const [one, two] = upstream.queries
  t.is(upstream.queries.length, 2)
  t.true(one!.client.port !== two!.client.port)
})

for (const policy of ['random', 'round_robin', 'sequential'])
  test(`${policy}: no second question`, async t => {
    const upstreams = [
      await startUpstream(t, { respond: () => undefined }),
      await startUpstream(t, { respond: () => undefined }),
    ]
    const { world, configuration } = await startConfiguration(
      t,
      `. {\n forward . ${upstreams.map(({ target }) => target).join(' ')} {\n policy ${policy}\n max_fails 0\n }\n}`,
    )
    const open = ask(configuration, 'www.example.org.')
    while (upstreams.flatMap(({ queries }) => queries).length === 0) await new Promise(resolve => setImmediate(resolve))
    await world.clock.advance(1900)
    await sleep(systemClock, 20)
    t.is(upstreams.flatMap(({ queries }) => queries).length, 1)
    t.is((await whileTimePasses(world, open))?.rcode, rcodes.SERVFAIL)
  })

test('no upstream gets one question more than three times', async t => {
  const upstream = await startUpstream(t, { respond: () => undefined })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n max_fails 0\n read_timeout 100ms\n max_connect_attempts 1000\n }\n}`,
  )
  t.is((await whileTimePasses(world, ask(configuration, 'www.example.org.')))?.rcode, rcodes.SERVFAIL)
  t.true(upstream.queries.length >= 2 && upstream.queries.length <= 3, String(upstream.queries.length))
})

test('max_connect_attempts is the limit of all', async t => {
  const upstreams = [
    await startUpstream(t, { respond: () => undefined }),
    await startUpstream(t, { respond: () => undefined }),
  ]
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstreams.map(({ target }) => target).join(' ')} {\n max_fails 0\n max_connect_attempts 1\n }\n}`,
  )
  t.is((await whileTimePasses(world, ask(configuration, 'www.example.org.')))?.rcode, rcodes.SERVFAIL)
  t.is(upstreams.flatMap(({ queries }) => queries).length, 1)
})

test('an upstream that fails for one zone is asked last there, and first elsewhere', async t => {
  const first = await startUpstream(t, {
    respond: query =>
      query.question.canonicalName.endsWith('broken.example.')
        ? { rcode: rcodes.SERVFAIL }
        : answering('192.0.2.1')(query),
  })
  const second = await startUpstream(t, { respond: answering('192.0.2.2') })
  const { configuration } = await startConfiguration(
    t,
    `. {\n forward . ${first.target} ${second.target} {\n policy sequential\n failover SERVFAIL\n }\n}`,
  )
  const answerOf = async (name: string) => aData.decode((await ask(configuration, name))!.answers[0]!.data)
  t.is(await answerOf('a.broken.example.'), '192.0.2.2')
  t.is(first.queries.length, 1)
  t.is(await answerOf('b.broken.example.'), '192.0.2.2')
  t.is(first.queries.length, 1)
  t.is(await answerOf('a.sound.example.'), '192.0.2.1')
})

test('forged replies from elsewhere, and with another port, id, or case, are not heard', async t => {
  const forger = await startUpstream(t, { respond: () => undefined, host: '127.0.0.4' })
  const upstream = await startUpstream(t, {
    respond: async query => {
      // Everything right but the address that it comes from.
      const reply = Buffer.from(query.packet)
      reply.writeUInt16BE(0x8180, 2)
      await forger.send(reply, query.client)
      const wrong = Buffer.from(reply)
      wrong.writeUInt16BE(query.id ^ 1, 0)
      await upstream.send(wrong, query.client)
      const otherName = Buffer.from(reply)
      otherName[13]! ^= 0x01
      await upstream.send(otherName, query.client)
      return answering('192.0.2.1')(query)
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  for (let turn = 0; turn < 10; turn++) {
    const reply = await ask(configuration, `a-name-with-letters-${turn}.example.org.`)
    t.is(aData.decode(reply!.answers[0]!.data), '192.0.2.1')
  }
  t.true(upstream.queries.every(({ transport }) => transport === 'udp'))
})

test('a reply in another case is asked for again over TCP before it is believed', async t => {
  const upstream = await startUpstream(t, {
    respond: query => {
      if (query.transport === 'tcp') return answering('192.0.2.1')(query)
      const reply = Buffer.from(query.packet)
      reply.writeUInt16BE(0x8183, 2)
      for (let at = 13; at < 13 + reply[12]!; at++) reply[at]! ^= 0x20
      return reply
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const reply = await ask(configuration, 'abcdefghijklmnop.example.org.')
  t.is(aData.decode(reply!.answers[0]!.data), '192.0.2.1')
  t.deepEqual(
    upstream.queries.map(({ transport }) => transport),
    ['udp', 'tcp'],
  )
})
