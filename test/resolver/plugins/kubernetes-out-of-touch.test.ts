/** Names that are not known while a watch is down: what clients, the next plugin and the memo get. */
import assert from 'node:assert'
import test, { type ExecutionContext } from 'ava'
import { clusterFacts } from '#resolver/insight/cluster-facts.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import type { ResponseMessage } from '#resolver/wire/message.ts'
import { EARLY, LATE_PAUSE, PATIENCE } from '#resolver/zone/catch-up.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { Memoised, packetOf } from '../../support/memoised.ts'
import { type Manifest, StaticCluster } from '../../support/static-cluster.ts'

const edns = { udpSize: 1232, dnssecOk: false, options: [] as [] }
const shop: readonly Manifest[] = [
  namespace('shop'),
  service('shop', 'web', '10.96.0.20'),
  service('shop', 'alias', { type: 'ExternalName', externalName: 'new.shop.svc.cluster.local' }),
]
const late = service('shop', 'new', '10.96.0.21')
const COREFILE = `.:53 {
  kubernetes cluster.local in-addr.arpa {
    fallthrough in-addr.arpa
  }
  k8s_external example.org
  whoami
}`

const start = async (t: ExecutionContext, corefile = COREFILE) => {
  const cluster = new StaticCluster(shop)
  const world = testWorld({ cluster: async () => cluster })
  const configuration = configure(corefile, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const { following } = cluster.services
  return {
    ...{ cluster, world, following, configuration },
    ask: (name: string, type: number = recordTypes.A) => ask(configuration, name, { type, edns }),
    age: (age: number) => void (cluster.age = () => age),
  }
}

const told = (reply: ResponseMessage | undefined): string =>
  `${reply?.rcode} ${(reply?.extendedErrors ?? []).map(({ code }) => code).join()}`

const denials: readonly (readonly [string, number])[] = [
  ['new.shop.svc.cluster.local.', recordTypes.A],
  ['_http._tcp.new.shop.svc.cluster.local.', recordTypes.SRV],
  ['alias.shop.svc.cluster.local.', recordTypes.A],
  ['a.new-space.svc.cluster.local.', recordTypes.A],
  ['new.shop.example.org.', recordTypes.A],
]

test('back: who asked meanwhile gets what was made meanwhile', async t => {
  for (const [name, type] of denials.slice(0, 3)) {
    const { cluster, following, ask } = await start(t)
    t.is((await ask(name, type))?.rcode, rcodes.NXDOMAIN)
    following.enter('unreachable')
    following.onRetry = () => {
      following.enter('trying')
      cluster.apply(late)
      following.enter('following')
    }
    t.is((await ask(name, type))?.rcode, rcodes.NOERROR, name)
    t.is(following.retries, 1)
  }
})

test('nobody there: denied, and said to be stale; names that are known are answered as ever', async t => {
  const { following, ask, age } = await start(t)
  following.enter('unreachable')
  age(1000)
  following.onRetry = () => following.enter('trying', 'unreachable')
  const [name, type] = denials[0]!
  t.is(
    told(await ask(name, type)),
    `${rcodes.NXDOMAIN} ${extendedErrorCodes.OTHER},${extendedErrorCodes.STALE_NXDOMAIN}`,
  )
  t.is(told(await ask('web.shop.svc.cluster.local.')), `${rcodes.NOERROR} `)
  t.is(told(await ask('20.0.96.10.in-addr.arpa.', recordTypes.PTR)), `${rcodes.NOERROR} `)
})

test('nobody knows: SERVFAIL in time, and nothing of it goes on to the next plugin', async t => {
  for (const [name, type] of [...denials, ['99.0.96.10.in-addr.arpa.', recordTypes.PTR] as const]) {
    const { world, following, ask } = await start(t)
    following.enter('unreachable')
    const reply = ask(name, type)
    await world.clock.advance(PATIENCE)
    t.is(told(await reply), `${rcodes.SERVFAIL} ${extendedErrorCodes.NOT_READY}`, name)
    const metrics = await world.registry.metrics()
    t.regex(metrics, /seamark_kubernetes_out_of_touch_total\{outcome="unknown"\} 1/)
  }
})

test('long gone: what falls through goes on at once', async t => {
  const { world, following, ask } = await start(t)
  following.enter('unreachable')
  following.onRetry = () => following.enter('trying', 'unreachable')
  await world.clock.advance(EARLY)
  t.is((await ask('99.0.96.10.in-addr.arpa.', recordTypes.PTR))?.rcode, rcodes.NOERROR, 'of whoami')
})

test('what no object can be is denied at once: most of what search lists ask for', async t => {
  const { following, ask } = await start(t)
  following.enter('unreachable')
  const impossible = [
    'www.example.com.cluster.local.',
    'www.example.com.shop.svc.cluster.local.',
    'a.www.example.com.svc.cluster.local.',
    '10-1-2-3.shop.pod.cluster.local.',
    'shop.pod.cluster.local.',
    'a._zone.web.shop.svc.cluster.local.',
  ]
  for (const name of impossible) t.is((await ask(name))?.rcode, rcodes.NXDOMAIN, name)
  t.is(following.retries, 0)
})

test('a headless service may have got the address that it lacks', async t => {
  const cluster = new StaticCluster([
    namespace('shop'),
    service('shop', 'db', 'None'),
    slice({ namespace: 'shop', service: 'db', endpoints: ['10.244.0.1'] }),
  ])
  const world = testWorld({ cluster: async () => cluster })
  const configuration = configure(COREFILE, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const { following } = cluster.endpointSlices
  following.enter('unreachable')
  const reply = ask(configuration, 'db.shop.svc.cluster.local.', { type: recordTypes.AAAA })
  await world.clock.advance(PATIENCE)
  t.is((await reply)?.rcode, rcodes.SERVFAIL)
  t.is((await ask(configuration, 'db.shop.svc.cluster.local.'))?.rcode, rcodes.NOERROR)
})

test('whoever asks why there is nothing is told that a watch is down', async t => {
  const { following, configuration } = await start(t)
  const zones = configuration.plugins.find(plugin => plugin.cluster)?.cluster?.()
  assert(zones)
  const next = () => clusterFacts(zones, 'new.shop.svc.cluster.local.')?.next.join() ?? ''
  t.notRegex(next(), /a watch is down/)
  following.enter('unreachable')
  t.regex(next(), /a watch is down/)
})

test('the memo gives no denial from the loss of a watch on, of names below one either, and keeps none until it is back', async t => {
  const { memoised, following, denied, unseen, known, impossible } = await keepAll()
  following.enter('unreachable')
  for (const one of [known, impossible]) t.truthy(memoised.find(one), 'it rests on no watch')
  for (let ask = 0; ask < 3; ask++) {
    for (const one of [denied, unseen]) {
      t.is(memoised.find(one), undefined)
      const reply = memoised.ask(one)
      await memoised.world.clock.advance(PATIENCE)
      await reply
    }
  }
  following.enter('trying', 'following')
  for (const one of [denied, unseen]) t.is(memoised.find(one), undefined)
  memoised.respond(denied)
  for (const one of [denied, unseen]) t.truthy(memoised.find(one))
  await memoised.configuration.close()
})

test('in a long outage the memo gives denials between two tries, and not once the watch is back', async t => {
  const { cluster, memoised, following, denied, unseen } = await keepAll()
  const { clock } = memoised.world
  following.enter('unreachable')
  following.onRetry = () => following.enter('trying', 'unreachable')
  await clock.advance(EARLY)
  for (let second = 0; second < 3; second++) {
    t.is(memoised.find(denied), undefined, 'a try is due')
    await memoised.ask(denied)
    memoised.respond(denied)
    await clock.advance(LATE_PAUSE - 1)
    for (const one of [denied, unseen]) t.truthy(memoised.find(one))
    await clock.advance(1)
  }
  t.is(following.retries, 3)
  await memoised.ask(denied)
  memoised.respond(denied)
  t.truthy(memoised.find(unseen))
  cluster.apply(service('shop', 'unseen', '10.96.0.22'))
  following.enter('trying', 'following')
  for (const one of [denied, unseen]) t.is(memoised.find(one), undefined)
  await memoised.configuration.close()
})

/** A memo with an answer of each kind; a name below the one that is denied has not been asked for. */
const keepAll = async () => {
  const cluster = new StaticCluster(shop)
  const memoised = new Memoised('.:53 {\n kubernetes cluster.local\n}\n', cluster)
  await memoised.start()
  const plain = { id: 1, recursionDesired: true, upper: 0, edns: undefined }
  const packet = (name: string) => packetOf(name, recordTypes.A, plain)
  const kept = {
    denied: packet('no.shop.svc.cluster.local.'),
    known: packet('web.shop.svc.cluster.local.'),
    impossible: packet('example.com.cluster.local.'),
  }
  for (const one of Object.values(kept)) memoised.respond(one)
  const unseen = packet('unseen.shop.svc.cluster.local.')
  for (const one of [...Object.values(kept), unseen]) assert(memoised.find(one))
  return { cluster, memoised, following: cluster.services.following, unseen, ...kept }
}
