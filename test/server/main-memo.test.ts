/** The memo of the main thread and the readable path say the same over every transport, and the same is counted. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { RequestContext, Responder } from '#resolver/listener.ts'
import type { ReplyObserver } from '#resolver/plugin.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { MainMemo } from '#server/main-memo.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { applyChange, type ClusterChange, changes, existing, probes } from '../resolver/zone/cluster-model.ts'
import { configure, type TestWorld, testWorld } from '../support/dns-environment.ts'
import { metric } from '../support/dns-server.ts'
import { namespace, service, slice } from '../support/manifests.ts'
import { isReadable, packetOf, type Variant, variant } from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'

const BUDGET = 1024 * 1024

interface Stand {
  readonly world: TestWorld
  readonly configuration: Configuration
  readonly memo: MainMemo
  /** Of the memo's counters. */
  readonly hits: () => Promise<number>
  /** With the memo, and without. */
  readonly respond: Responder
  readonly plain: Responder
}

const stand = async (corefile: string, cluster: StaticCluster, observer?: ReplyObserver): Promise<Stand> => {
  const bare = testWorld({ cluster: async () => cluster, ...(observer && { observer }) })
  const cookies = new ServerCookies({ clock: bare.clock, secret: newCookieSecret(systemRandom) })
  const world = { ...bare, cookies }
  const configuration = configure(corefile, world)
  await configuration.start(new AbortController().signal)
  const registry = createRegistry()
  const metrics = new ServerMetrics(registry)
  const memo = new MainMemo({ board: world.board, cookies, clock: world.clock, metrics, budget: BUDGET })
  const hits = () => {
    memo.settleHits()
    return metric(registry, 'seamark_server_memo_hits_total')
  }
  return {
    world,
    configuration,
    memo,
    hits,
    respond: memo.before(configuration.responder),
    plain: configuration.responder,
  }
}

const context: fc.Arbitrary<RequestContext> = fc.record(
  {
    transport: fc.constantFrom('udp', 'tcp', 'tls', 'https'),
    client: fc.record({ address: fc.constantFrom('192.0.2.7', '2001:db8::7', '192.0.2.8'), port: fc.constant(40_000) }),
    local: fc.constant({ address: '192.0.2.53', port: 53 }),
    server: fc.constantFrom('dns://:53', 'dns://:53', 'dns://:853', 'dns://:5353'),
    idleTimeout: fc.constantFrom(0, 5000, 10_000),
  },
  { requiredKeys: ['transport', 'client', 'local', 'server'] },
)

const corefile = `dns://.:53 dns://.:853 {
  kubernetes cluster.local set.local in-addr.arpa ip6.arpa {
    pods insecure
  }
  nsid here
}
dns://.:5353 {
  kubernetes cluster.local {
    ttl 77
  }
}`

const types = [recordTypes.A, recordTypes.AAAA, recordTypes.SRV, recordTypes.TXT]

/** Compared as objects, bytes would take half of the test's time. */
const holdSame = (
  t: ExecutionContext,
  reply: unknown,
  expected: unknown,
  of: { ask: Variant; title: string },
): void => {
  if (!Buffer.isBuffer(reply) || !Buffer.isBuffer(expected)) t.false(isReadable(of.ask), of.title)
  else if (!reply.equals(expected)) t.deepEqual(reply, expected, of.title)
}

test('the same as the readable path, over all transports and through all changes', async t => {
  let hits = 0
  const asks = fc.array(fc.tuple(variant, context), { minLength: 2, maxLength: 4 })
  const property = fc.asyncProperty(
    changes,
    asks,
    async (list, asked: readonly (readonly [Variant, RequestContext])[]) => {
      const cluster = new StaticCluster()
      const { world, configuration, respond, plain, ...rest } = await stand(corefile, cluster)
      for (const change of list as ClusterChange[]) {
        applyChange(cluster, change)
        for (const name of [...probes(existing(cluster)), 'nobody.red.svc.cluster.local.', 'x.com.cluster.local.'])
          for (const type of types)
            for (const [ask, from] of asked) {
              const packet = packetOf(name, type, ask)
              const reply = respond(Buffer.from(packet), from)
              const expected = plain(Buffer.from(packet), from)
              holdSame(t, reply, expected, { ask, title: `${name} ${type} ${from.transport}` })
            }
        await world.clock.advance(700)
      }
      hits += await rest.hits()
      await configuration.close()
    },
  )
  t.timeout(300_000)
  await fc.assert(property, {
    numRuns: Number(process.env.SEAMARK_RUNS ?? 3),
    endOnFailure: true,
    includeErrorInReport: true,
  })
  t.true(hits > 1000, `${hits} hits`)
  t.log(`${hits} replies of the memo compared`)
})

const at = (transport: RequestContext['transport'], address: string, idleTimeout?: number): RequestContext => ({
  ...{ transport, client: { address, port: 1 }, local: { address: '192.0.2.53', port: 53 }, server: 'dns://:53' },
  ...(idleTimeout !== undefined && { idleTimeout }),
})

const shop = () => new StaticCluster([namespace('shop'), service('shop', 'web', '192.0.2.77')])
const edns = (options: NonNullable<Variant['edns']>['options'] = []): Variant => ({
  ...{ id: 1, recursionDesired: true, upper: 0 },
  edns: { udpSize: 1232, dnssecOk: false, options },
})

test('hits are counted and shown as what they are: zone, transport, family, times', async t => {
  const count = async (usesMemo: boolean) => {
    let shown = 0
    const clients = new Set<string>()
    const observer: ReplyObserver = {
      observe: query => {
        shown++
        clients.add(query.client.address)
      },
      observeHits() {},
      observeSample: (query, _reply, weight) => {
        shown += weight
        clients.add(query.client.address)
      },
    }
    const lines = 'prometheus 127.0.0.1:0\n kubernetes cluster.local'
    const { world, memo, respond, plain, configuration, hits } = await stand(`. {\n ${lines}\n}`, shop(), observer)
    for (let round = 0; round < 6; round++) {
      for (const from of [
        at('udp', '192.0.2.7'),
        at('tcp', '192.0.2.7', 100),
        at('tls', '2001:db8::7'),
        at('udp', '::1'),
      ])
        for (const name of ['web.shop.svc.cluster.local.', 'gone.shop.svc.cluster.local.'])
          (usesMemo ? respond : plain)(packetOf(name, recordTypes.A, edns()), from)
      await world.clock.advance(1000)
    }
    memo.settleHits()
    t.is(await hits(), usesMemo ? 40 : 0)
    await configuration.close()
    const text = await world.registry.metrics()
    const counted =
      /^coredns_dns_(requests|responses|request_size_bytes|response_size_bytes|request_duration_seconds_count)/
    return { shown, clients: [...clients].sort(), lines: text.split('\n').filter(line => counted.test(line)) }
  }
  const asked = await count(false)
  t.true(asked.lines.length > 10)
  t.deepEqual(await count(true), asked)
})

test('what a worker keeps is not kept here, and what had to be waited for is not kept at all', async t => {
  const { memo, plain, hits, configuration } = await stand('. {\n kubernetes cluster.local\n}', shop())
  t.teardown(() => configuration.close())
  const packet = packetOf('web.shop.svc.cluster.local.', recordTypes.A, edns())
  let kept = 0
  const respond = memo.before(plain)
  for (let time = 0; time < 2; time++) respond(packet, { ...at('udp', '192.0.2.7'), memoise: () => kept++ })
  t.is(kept, 2)
  const later = memo.before(async (...asked) => plain(...asked))
  for (let time = 0; time < 2; time++) await later(packet, at('udp', '192.0.2.7'))
  t.is(await hits(), 0)
})

test('listeners that come and go without end take no more than there is room for', async t => {
  const { respond, plain, hits, configuration } = await stand('. {\n kubernetes cluster.local\n}', shop())
  t.teardown(() => configuration.close())
  const packet = packetOf('web.shop.svc.cluster.local.', recordTypes.A, edns([{ code: 11, data: Buffer.alloc(0) }]))
  for (let time = 0; time < 2000; time++) {
    const from = at('tcp', '192.0.2.7', 100 * (time >> 1))
    t.deepEqual(respond(packet, from), plain(packet, from))
  }
  t.true((await hits()) > 900)
})

test('the longest message that there is comes from the memo until an endpoint goes', async t => {
  const addresses = Array.from({ length: 5000 }, (_, index) => `198.18.${index >> 8}.${index & 255}`)
  const slices = Array.from({ length: 50 }, (_, index) =>
    slice({
      namespace: 'shop',
      service: 'db',
      name: `db-${index}`,
      endpoints: addresses.slice(100 * index, 100 * index + 100),
    }),
  )
  const headless = service('shop', 'db', {
    clusterIP: 'None',
    clusterIPs: ['None'],
    ports: [{ name: 'http', port: 80 }],
  })
  const cluster = new StaticCluster([namespace('shop'), headless, ...slices])
  const { respond, plain, hits, configuration } = await stand('. {\n kubernetes cluster.local\n}', cluster)
  t.teardown(() => configuration.close())
  const packet = packetOf('db.shop.svc.cluster.local.', recordTypes.A, { ...edns(), edns: undefined })
  const from = at('tcp', '192.0.2.7')
  const first = respond(packet, from) as Buffer
  // RFC 1035 §4.2.2: 65,535 bytes at most, records of 16.
  t.is(first.readUInt16BE(6), Math.floor((65_535 - packet.length) / 16))
  for (let time = 0; time < 10; time++) t.deepEqual(respond(packet, from), plain(packet, from))
  t.is(await hits(), 10)
  cluster.remove(slices[0]!)
  t.deepEqual(respond(packet, from), plain(packet, from))
  t.is(await hits(), 10)
})
