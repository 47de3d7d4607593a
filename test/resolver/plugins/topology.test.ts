import test, { type ExecutionContext } from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { namespace, service } from '../../support/manifests.ts'
import { type Manifest, staticSource } from '../../support/static-cluster.ts'

const headless = { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'http', port: 80 }] }

/** `endpoints`: address → topology zone. */
const zonalSlice = (of: string, endpoints: Readonly<Record<string, string>>): Manifest => ({
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: `${of}-1`, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints: Object.entries(endpoints).map(([address, zone]) => ({
    addresses: [address],
    conditions: { ready: true },
    ...(zone !== '' && { zone }),
  })),
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
})

const objects: readonly Manifest[] = [
  namespace('shop'),
  service('shop', 'db', headless),
  zonalSlice('db', {
    '10.244.1.1': 'zone-a',
    '10.244.1.2': 'zone-a',
    '10.244.1.3': 'zone-a',
    '10.244.2.1': 'Zone-B',
    '10.244.2.2': 'Zone-B',
    '10.244.3.1': 'zone-c',
    '10.244.4.1': '',
  }),
  service('shop', 'one-zone', headless),
  zonalSlice('one-zone', { '10.244.1.4': 'zone-a', '10.244.1.5': 'zone-a' }),
  service('shop', 'web', '10.96.0.20'),
  zonalSlice('web', { '10.244.2.9': 'zone-b' }),
]

const LINES = 'clients zone-a 10.244.1.0/24 192.0.2.0/25\n clients zone-c 10.244.3.0/24'

const start = async (t: ExecutionContext, lines = LINES, manifests = objects) => {
  const world = testWorld({ cluster: staticSource(manifests) })
  const configuration = configure(`. {\n topology {\n ${lines}\n }\n kubernetes cluster.local\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const addresses = async (client: string, name = 'db', type: number = recordTypes.A) => {
    const reply = (await ask(configuration, `${name}.shop.svc.cluster.local.`, { client, type, transport: 'tcp' }))!
    return reply.answers.map(({ data }) => (data.length === 4 ? aData.decode(data) : '')).sort()
  }
  return { addresses, world }
}

const A = ['10.244.1.1', '10.244.1.2', '10.244.1.3']
const B = ['10.244.2.1', '10.244.2.2']
const ALL = [...A, ...B, '10.244.3.1', '10.244.4.1']

test('a client by its network', async t => {
  const { addresses } = await start(t)
  t.deepEqual(await addresses('10.244.1.77'), A)
  t.deepEqual(await addresses('192.0.2.7'), A)
})

test('a client that is an endpoint itself is where the cluster says', async t => {
  const { addresses } = await start(t)
  t.deepEqual(await addresses('10.244.2.9'), B)
})

test('too few in its zone: all', async t => {
  const { addresses } = await start(t)
  t.deepEqual(await addresses('10.244.3.77'), ALL)
  const strict = await start(t, `${LINES}\n minimum 1`)
  t.deepEqual(await strict.addresses('10.244.3.77'), ['10.244.3.1'])
})

test('nobody knows its zone: all, unless there is one for all others', async t => {
  const { addresses } = await start(t)
  t.deepEqual(await addresses('198.51.100.1'), ALL)
  const local = await start(t, `${LINES}\n local ZONE-B`)
  t.deepEqual(await local.addresses('198.51.100.1'), B)
  t.deepEqual(await local.addresses('10.244.1.77'), A)
})

test('a service of one zone, a cluster IP and SRV stay as they are', async t => {
  const { addresses } = await start(t)
  t.deepEqual(await addresses('10.244.2.9', 'one-zone'), ['10.244.1.4', '10.244.1.5'])
  t.deepEqual(await addresses('10.244.1.77', 'web'), ['10.96.0.20'])
  t.is((await addresses('10.244.1.77', 'db', recordTypes.SRV)).length, ALL.length)
})

/** `endpoints`: address → zone and hints. */
const hintedSlice = (
  of: string,
  endpoints: Readonly<Record<string, readonly [string, string[], string[]?]>>,
): Manifest => {
  const named = (names: readonly string[] = []) => names.map(name => ({ name }))
  return {
    ...zonalSlice(of, {}),
    endpoints: Object.entries(endpoints).map(([address, [zone, forZones, forNodes]]) => ({
      addresses: [address],
      conditions: { ready: true },
      zone,
      hints: { forZones: named(forZones), forNodes: named(forNodes) },
    })),
  }
}

const hintedObjects = (endpoints: Parameters<typeof hintedSlice>[1]) => [
  namespace('shop'),
  service('shop', 'db', headless),
  hintedSlice('db', endpoints),
]

test('hints go before zones: those who are meant for the client, however few', async t => {
  const hinted = hintedObjects({
    '10.244.1.1': ['zone-a', ['zone-a']],
    '10.244.1.2': ['zone-a', ['Zone-B', 'zone-c']],
    '10.244.2.1': ['zone-b', ['Zone-B']],
  })
  const { addresses, world } = await start(t, LINES, hinted)
  t.deepEqual(await addresses('10.244.1.77'), ['10.244.1.1'])
  t.deepEqual(await addresses('10.244.3.77'), ['10.244.1.2'])
  t.is((await addresses('198.51.100.1')).length, 3)
  t.regex(await world.registry.metrics(), /outcome="hinted"\} 2$/m)
  const local = await start(t, 'local zone-b', hinted)
  t.deepEqual(await local.addresses('198.51.100.1'), ['10.244.1.2', '10.244.2.1'])
})

test('hints that some endpoint lacks, or that are for others, are not looked at', async t => {
  const some = hintedObjects({
    '10.244.1.1': ['zone-a', ['zone-a']],
    '10.244.1.2': ['zone-a', []],
    '10.244.2.1': ['zone-b', ['zone-b']],
  })
  const partly = await start(t, LINES, some)
  t.deepEqual(await partly.addresses('10.244.1.77'), ['10.244.1.1', '10.244.1.2'])
  const others = hintedObjects({ '10.244.1.1': ['zone-a', ['zone-x']], '10.244.2.1': ['zone-b', ['zone-y']] })
  t.is((await (await start(t, LINES, others)).addresses('10.244.1.77')).length, 2)
})

test('hints for nodes go before those for zones, where the node is known', async t => {
  const hinted = hintedObjects({
    '10.244.1.1': ['zone-a', ['zone-a'], ['node-1']],
    '10.244.1.2': ['zone-a', ['zone-a'], ['node-2']],
    '10.244.2.1': ['zone-b', ['zone-b'], ['node-3']],
  })
  const onNode = (lines: string) => start(t, lines, hinted).then(({ addresses }) => addresses('198.51.100.1'))
  t.deepEqual(await onNode('node node-2'), ['10.244.1.2'])
  t.deepEqual(await onNode('node node-2\n local zone-b'), ['10.244.1.2'])
  t.deepEqual(await onNode('node node-9\n local zone-b'), ['10.244.2.1'])
  t.deepEqual(await onNode('local zone-a'), ['10.244.1.1', '10.244.1.2'])
})

test('counts by what the client got', async t => {
  const { addresses, world } = await start(t)
  for (const client of ['10.244.1.77', '10.244.2.9', '10.244.3.77', '198.51.100.1']) await addresses(client)
  const text = await world.registry.metrics()
  const of = (outcome: string) =>
    new RegExp(`^seamark_topology_answers_total\\{.*outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1]
  t.deepEqual([of('near'), of('few'), of('unknown')], ['2', '1', '1'])
})

test('tells what is wrong', t => {
  const problem = (lines: string, rest = 'kubernetes cluster.local') =>
    problemsOf(`. {\n topology {\n${lines}\n }\n ${rest}\n}`)[0] ?? ''
  t.regex(problem('local a', ''), /needs "kubernetes" in this server block/)
  t.regex(problem('clients zone-a'), /"clients" needs 2 values/)
  t.regex(problem('clients zone-a 10'), /"10" is neither an address nor a network/)
})
