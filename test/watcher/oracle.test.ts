/**
 * The watcher against Kubernetes' own API machinery (test/support/oracle.ts). Where that cannot be had the test says why
 * it did nothing: it and the apiserver's comparison are the ones that may do so in CI.
 */
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { createRegistry } from '#lib/metrics.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import { endpointAccess } from '#watcher/endpoint.ts'
import type { ApiObject } from '#watcher/object.ts'
import { startOracle } from '../support/oracle.ts'
import { eventually } from './support/eventually.ts'
import { FreezingProxy } from './support/scripted-server.ts'

const THINGS = { group: 'example.com', version: 'v1', resource: 'things' }
const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' }

interface Thing extends ApiObject {
  readonly spec?: { readonly n?: number; readonly text?: string }
}

const view = { resource: THINGS, strip: (raw: Readonly<Record<string, unknown>>) => raw as unknown as Thing }

/** Undefined where there is no oracle. */
const start = async (t: ExecutionContext) => {
  const oracle = await startOracle(t)
  if (!oracle) return undefined
  const server = new URL(oracle.url)
  const access = endpointAccess({ server, clock: systemClock, authority: oracle.authority })
  const client = new RestClient({ access })
  t.teardown(() => client.close())
  await createThings(client)
  return { client, access, compact: oracle.compact, port: Number(server.port) }
}

const createThings = async (client: RestClient): Promise<void> => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
  await client.create(CRDS, definition)
  const end = performance.now() + 60_000
  while (performance.now() < end && !(await client.list(THINGS).catch(() => undefined))) {
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const thing = (name: string, n: number): Thing => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { namespace: 'default', name },
  spec: { n, text: 'é😀' },
})

test('streaming list, changes, resumption and 410 as Kubernetes does them', async t => {
  const oracle = await start(t)
  if (!oracle) return
  const { client, access, compact, port } = oracle
  for (let n = 0; n < 50; n++) await client.create(THINGS, thing(`t${n}`, 0))
  const proxy = await FreezingProxy.start(t, port)
  const through = new RestClient({
    access: { ...access, server: new URL(`https://127.0.0.1:${proxy.port}`) },
    times: { pingInterval: 200, pingTimeout: 300 },
  })
  const registry = createRegistry()
  const informer = createInformer(through, view, { registry, freeze: true })
  t.teardown(async () => {
    await informer.close()
    await through.close()
  })
  const changes: string[] = []
  informer.subscribe(change => changes.push(`${change.type} ${change.key}`))
  await informer.start()
  await informer.whenSynced(AbortSignal.timeout(60_000))
  t.is(informer.size, 50)
  const lists = async () => (await registry.getSingleMetric('seamark_watcher_lists_total')?.get())?.values
  const list = { resource: 'things', way: 'stream' }
  t.deepEqual(await lists(), [{ labels: list, value: 1 }], 'Kubernetes served a streaming list')

  changes.length = 0
  let current = await client.create(THINGS, thing('new', 0))
  for (let n = 1; n <= 100; n++) current = await client.update(THINGS, { ...current, spec: { n } })
  await client.delete(THINGS, { namespace: 'default', name: 't0' })
  await eventually(() => informer.get('default/t0') === undefined, 'the deletion')
  t.deepEqual(changes, ['added default/new', ...Array(100).fill('modified default/new'), 'deleted default/t0'])

  // A cut: what happened meanwhile arrives by resuming, without a list.
  proxy.cut()
  current = await client.update(THINGS, { ...current, spec: { n: 101 } })
  await eventually(() => informer.get('default/new')?.spec?.n === 101, 'the watch resumes')
  t.deepEqual(await lists(), [{ labels: list, value: 1 }])

  // Frozen: PING notices. Meanwhile history is forgotten, by etcd and by 1,000 changes of other objects.
  proxy.freeze()
  await eventually(() => informer.problem !== '', 'the frozen connection is noticed')
  await client.delete(THINGS, { namespace: 'default', name: 't1' })
  for (let n = 102; n <= 400; n++) current = await client.update(THINGS, { ...current, spec: { n } })
  await compact(current.metadata.resourceVersion ?? '')
  proxy.thaw()
  await eventually(() => informer.get('default/new')?.spec?.n === 400, 'the newest state')
  await eventually(() => informer.get('default/t1') === undefined, 'the deletion that was missed')
  t.is(informer.size, 49)
})

test('410 as Kubernetes words it is understood', async t => {
  const oracle = await start(t)
  if (!oracle) return
  const { client, compact } = oracle
  let current = await client.create(THINGS, thing('new', 0))
  for (let n = 1; n <= 20; n++) current = await client.update(THINGS, { ...current, spec: { n } })
  await compact(current.metadata.resourceVersion ?? '')
  const signal = AbortSignal.timeout(10_000)
  const watch = client.watch(THINGS, { resourceVersion: '1', timeoutSeconds: 5, signal }, () => {})
  const watched = await t.throwsAsync(watch)
  t.true((watched as { isExpired?: boolean }).isExpired, String(watched))
})
