/** What `cache` holds of other servers: the memo gives it as the cache would at that moment, and never when it would not. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Query } from '#resolver/query.ts'
import type { Answer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { namespace, service } from '../support/manifests.ts'
import { Memoised, packetOf, sameBytes, sameRecords, type Variant, variant } from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'
import { aRecord, soaRecord, startUpstream } from '../support/upstream.ts'

const plain: Variant = { id: 1, recursionDesired: true, edns: undefined, upper: 0 }

const ZONE = 'example.org.'
const many = (name: string, count: number, ttl: number): ResourceRecord[] =>
  Array.from({ length: count }, (_, index) => aRecord(name, ttl + index, `192.0.2.${index + 1}`))
const alias = (name: string, ttl: number, target: string): ResourceRecord => ({
  ...{ name, type: recordTypes.CNAME, class: 1, ttl },
  data: nameData.encode(target),
})
const mail = (name: string, host: string): ResourceRecord => ({
  ...{ name, type: recordTypes.MX, class: 1, ttl: 40 },
  data: Buffer.concat([Buffer.from([0, 10]), nameData.encode(host)]),
})

const external: Readonly<Record<string, (name: string) => Partial<Answer>>> = {
  'one.example.org.': name => ({ answers: many(name, 1, 60) }),
  'inside.example.org.': name => ({ answers: [aRecord(name, 60, '192.168.0.1')] }),
  'other.example.org.': name => ({ answers: [aRecord(name, 60, '198.51.100.1')] }),
  'short.example.org.': name => ({ answers: many(name, 1, 3) }),
  'some.example.org.': name => ({ answers: many(name, 3, 20) }),
  'many.example.org.': name => ({ answers: many(name, 60, 25) }),
  'alias.example.org.': name => ({ answers: [alias(name, 9, 'Far.Example.NET.'), ...many('Far.Example.NET.', 3, 90)] }),
  'dangling.example.org.': name => ({
    answers: [alias(name, 30, `gone.${ZONE}`)],
    authority: [soaRecord(ZONE, 20, 50)],
  }),
  'mail.example.org.': name => ({ answers: [mail(name, `a.${ZONE}`), mail(name, `b.${ZONE}`)] }),
  'glue.example.org.': name => ({ answers: many(name, 2, 60), additional: many(`ns.${ZONE}`, 1, 30) }),
  'absent.example.org.': () => ({ rcode: rcodes.NXDOMAIN, authority: [soaRecord(ZONE, 30, 12)] }),
  'empty.example.org.': () => ({ authority: [soaRecord('EXAMPLE.org.', 30, 300)] }),
  'failing.example.org.': () => ({ rcode: rcodes.SERVFAIL }),
}
const names = Object.keys(external)

const respond = ({ question }: Query): Partial<Answer> => external[question.canonicalName]?.(question.name) ?? {}

const start = async (t: ExecutionContext, lines: string, cluster?: StaticCluster, answer = respond) => {
  const upstream = await startUpstream(t, { respond: answer })
  const memoised = new Memoised(`. {\n ${lines}\n forward . ${upstream.target}\n}`, cluster)
  await memoised.start()
  t.teardown(() => memoised.configuration.close())
  return { memoised, upstream }
}

/** Of an answer that was truncated it is chance which addresses are left. */
const sameOrTruncated = (one: Buffer, other: Buffer): boolean =>
  sameRecords(one, other) || ((one[2]! & other[2]! & 2) !== 0 && one.length === other.length)

const step = fc.record({
  wait: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 30, 300, 999, 1000, 1001, 2500),
  name: fc.constantFrom(...names),
  type: fc.constantFrom(recordTypes.A, recordTypes.A, recordTypes.AAAA),
  ask: fc.integer({ min: 0, max: 1 }),
  upper: fc.constantFrom(0, 0, 2, 3),
  forgets: fc.integer({ min: 0, max: 99 }).map(chance => chance === 0),
})

const corefiles = {
  'as it is': ['cache', sameBytes],
  'bounded TTLs, nothing stale': ['cache 30 {\n denial 1024 10 8\n serve_stale off\n }', sameBytes],
  'TTLs as the upstream said': ['cache {\n keepttl\n }', sameBytes],
  'popular names are asked for before their end': ['cache {\n prefetch 1 100s 10%\n }', sameBytes],
  'answers of other servers are judged': ['cache\n bogus_nxdomain 192.0.2.1\n rebind', sameBytes],
  'stale at once': ['cache {\n serve_stale 1h immediate\n }', sameBytes],
  'addresses in turns, as kubeadm has it': [
    'errors\n cache 30\n loop\n loadbalance\n prometheus 127.0.0.1:0',
    sameOrTruncated,
  ],
} as const

for (const [title, [lines, same]] of Object.entries(corefiles))
  test(`the same as the readable path, at any time: ${title}`, async t => {
    let hits = 0
    const list = fc.array(step, { minLength: 800, maxLength: 800 })
    const property = fc.asyncProperty(list, fc.tuple(variant, variant), async (steps, [first, second]) => {
      // Answers to questions without RD are not kept.
      const asks = [{ ...first, recursionDesired: true }, second]
      const { memoised, upstream } = await start(t, lines)
      for (const { wait, name, type, ask, upper, forgets } of steps) {
        await memoised.world.clock.advance(wait)
        if (forgets) for (const plugin of memoised.configuration.plugins) await plugin.clear?.()
        const packet = packetOf(name, type, { ...asks[ask]!, upper })
        const hit = memoised.find(packet)
        const reply = memoised.ask(packet)
        if (hit && !(Buffer.isBuffer(reply) && same(hit, reply)))
          throw new Error(`${name} ${type}\n${hit.toString('hex')}\n${Buffer.isBuffer(reply) && reply.toString('hex')}`)
        await reply
      }
      hits += memoised.hits
      await memoised.configuration.close()
      await upstream.close()
    })
    t.timeout(300_000)
    await fc.assert(property, {
      numRuns: Number(process.env.SEAMARK_RUNS ?? 4),
      endOnFailure: true,
      includeErrorInReport: true,
    })
    t.true(hits > 5, `${hits} hits`)
    t.log(`${hits} replies of the memo compared`)
  })

/** Has the memo hold what the cache holds. */
const learn = async (memoised: Memoised, name: string, type: number = recordTypes.A): Promise<Buffer> => {
  const packet = packetOf(name, type, plain)
  await memoised.ask(packet)
  await memoised.ask(packet)
  return packet
}

const lastAddress = (reply: Buffer | undefined): string | undefined => reply?.subarray(-4).join('.')

const firstAddress = (reply: Buffer | undefined): string => {
  const read = reply && decodeResponse(reply)
  return read?.ok ? (read.value.answers[0]?.data.join('.') ?? '') : ''
}

test('each address comes first in turn; what cannot take turns is asked for each time', async t => {
  const { memoised } = await start(t, 'cache\n loadbalance')
  for (const name of ['some.example.org.', 'alias.example.org.']) {
    const packet = await learn(memoised, name)
    t.is(new Set([1, 2, 3].map(() => lastAddress(memoised.find(packet)))).size, 3, name)
  }
  t.is(memoised.find(await learn(memoised, 'mail.example.org.', recordTypes.MX)), undefined)
  const cut = await start(t, 'cache\n loadbalance {\n limit_answers 2\n }')
  t.is(cut.memoised.find(await learn(cut.memoised, 'some.example.org.')), undefined)
})

test('a name of the cluster takes the place of what another server said of it', async t => {
  const cluster = new StaticCluster()
  const { memoised } = await start(
    t,
    'cache\n kubernetes cluster.local {\n fallthrough\n }',
    cluster,
    ({ question }) => ({
      answers: many(question.name, 1, 60),
    }),
  )
  cluster.apply(namespace('shop'))
  const packet = await learn(memoised, 'web.shop.svc.cluster.local.')
  t.is(firstAddress(memoised.find(packet)), '192.0.2.1')
  cluster.apply(service('shop', 'web', '192.0.2.77'))
  t.is(memoised.find(packet), undefined)
  t.is(firstAddress(memoised.respond(packet)), '192.0.2.77')
})

test('what gives way to others is not given any more', async t => {
  const { memoised } = await start(t, 'cache {\n success 1024\n }', undefined, ({ question }) => ({
    answers: many(question.name, 1, 600),
  }))
  const packet = await learn(memoised, 'first.example.org.')
  t.truthy(memoised.find(packet))
  for (let index = 0; index < 1024; index++) await memoised.ask(packetOf(`n${index}.example.org.`, 1, plain))
  t.is(memoised.find(packet), undefined)
})

test('names that are asked for once end nothing that is kept, of the cluster or of others', async t => {
  const cluster = new StaticCluster()
  cluster.apply(namespace('shop'))
  const services = Array.from({ length: 200 }, (_, index) => `app-${index}`)
  for (const [index, name] of services.entries()) cluster.apply(service('shop', name, `192.0.2.${index}`))
  const { memoised } = await start(
    t,
    'cache {\n success 1024\n }\n kubernetes cluster.local',
    cluster,
    ({ question }) => ({ answers: many(question.name, 1, 600) }),
  )
  const kept: Buffer[] = []
  for (const name of services) kept.push(await learn(memoised, `${name}.shop.svc.cluster.local.`))
  for (let index = 0; index < 200; index++) kept.push(await learn(memoised, `used-${index}.example.org.`))
  const isKept = () => kept.every(packet => memoised.find(packet))
  t.true(isKept())
  for (let index = 0; index < 800; index++) await memoised.ask(packetOf(`n${index}.example.org.`, 1, plain))
  t.true(isKept())
  // By now they take each other's place.
  const ours = kept.slice(0, services.length)
  for (let index = 800; index < 1800; index++) await memoised.ask(packetOf(`n${index}.example.org.`, 1, plain))
  t.true(ours.every(packet => memoised.find(packet)))
})

test('what is asked for through the memo is no less in use: it stays while others give way', async t => {
  const { memoised, upstream } = await start(t, 'cache {\n success 1024\n }', undefined, ({ question }) => ({
    answers: many(question.name, 1, 600),
  }))
  const packet = await learn(memoised, 'used.example.org.')
  for (let index = 0; index < 1100; index++) {
    await memoised.ask(packetOf(`n${index}.example.org.`, 1, plain))
    await memoised.world.clock.advance(100)
    if (!memoised.find(packet)) await memoised.ask(packet)
  }
  t.is(upstream.queries.filter(({ question }) => question.canonicalName === 'used.example.org.').length, 1)
})

test('a popular name is asked for before its end, though the memo answers for it', async t => {
  const { memoised, upstream } = await start(t, 'cache {\n prefetch 3 10s 20%\n }')
  const packet = packetOf('one.example.org.', 1, plain)
  let hits = 0
  for (let second = 0; second < 58; second++) {
    if (memoised.find(packet)) hits++
    else await memoised.ask(packet)
    // Until it is popular each question counts.
    if (second === 1) t.is(hits, 0)
    await memoised.world.clock.advance(500)
    if (memoised.find(packet)) hits++
    else await memoised.ask(packet)
    await memoised.world.clock.advance(500)
  }
  t.true(hits > 10, `${hits} hits`)
  t.is(upstream.queries.length, 2)
})

test('counters say the same as if the cache had been asked', async t => {
  const cluster = new StaticCluster()
  cluster.apply(namespace('shop'))
  cluster.apply(service('shop', 'web', '192.0.2.77'))
  const asked = ['one.example.org.', 'absent.example.org.', 'empty.example.org.', 'web.shop.svc.cluster.local.']
  const lines = 'prometheus 127.0.0.1:0\n chaos\n cache\n kubernetes cluster.local'
  const counts = async (usesMemo: boolean) => {
    const { memoised } = await start(t, lines, cluster)
    for (let round = 0; round < 5; round++)
      for (const name of asked) {
        const packet = packetOf(name, 1, plain)
        if (!(usesMemo && memoised.find(packet))) await memoised.ask(packet)
      }
    memoised.settle()
    t.is(memoised.hits > 0, usesMemo)
    const text = await memoised.world.registry.metrics()
    const counted = memoised.configuration.plugins.flatMap(plugin => plugin.cacheCounters?.() ?? [])
    return [
      counted,
      text
        .split('\n')
        .filter(line => /^coredns_(cache_(hits|misses|requests)|dns_(requests|responses))_total/.test(line)),
    ]
  }
  const [counted, lines2] = await counts(false)
  t.true((lines2 as string[]).length > 5)
  t.deepEqual(await counts(true), [counted, lines2])
})
