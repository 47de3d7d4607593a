/** The watcher against our own apiserver: what every program of the cluster does all day. */
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { ApiStatusError } from '#watcher/api-status-error.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer, type InformerOptions } from '#watcher/create-informer.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import { LeaderElection } from '#watcher/leader-election.ts'
import type { ApiObject, ListMeta } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { type RunningApiserver, startApiserver } from '../support/apiserver.ts'
import { eventually } from './support/eventually.ts'

const CONFIGMAPS: Resource = { group: '', version: 'v1', resource: 'configmaps' }

interface ConfigMap extends ApiObject {
  readonly data?: Readonly<Record<string, string>>
}

const view = { resource: CONFIGMAPS, strip: (raw: Readonly<Record<string, unknown>>) => raw as unknown as ConfigMap }

const configMap = (name: string, data: Readonly<Record<string, string>> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
  data,
})

const clientOf = async (t: ExecutionContext, { kubeconfig }: RunningApiserver): Promise<RestClient> => {
  const access = await loadKubeconfig({ file: kubeconfig, environment: {}, clock: systemClock })
  const client = new RestClient({ access })
  t.teardown(() => client.close())
  return client
}

const follow = async (t: ExecutionContext, client: RestClient, options: InformerOptions = {}) => {
  const informer = createInformer(client, view, { namespace: 'default', freeze: true, ...options })
  const changes: string[] = []
  informer.subscribe(change => changes.push(`${change.type} ${change.key}`))
  await informer.start()
  t.teardown(() => informer.close())
  await informer.whenSynced(AbortSignal.timeout(60_000))
  return { informer, changes }
}

test('list, watch, selectors, and errors with their reasons', async t => {
  const server = await startApiserver(t)
  const client = await clientOf(t, server)
  t.regex(await client.raw('/version'), /gitVersion/)
  const made = await client.create(CONFIGMAPS, configMap('before'))
  const { informer, changes } = await follow(t, client)
  const chosen = await follow(t, client, { labelSelector: 'colour=red' })
  t.true(informer.synced)
  t.truthy(informer.get('default/before'))
  changes.length = 0
  const name = { namespace: 'default', name: 'before' }
  await client.patch(CONFIGMAPS, name, { type: 'merge', body: { metadata: { labels: { colour: 'red' } } } })
  const stale = await t.throwsAsync(client.update(CONFIGMAPS, made), { instanceOf: ApiStatusError })
  t.true(stale.isConflict)
  const twice = await t.throwsAsync(client.create(CONFIGMAPS, configMap('before')), { instanceOf: ApiStatusError })
  t.true(twice.isAlreadyExists)
  await eventually(() => chosen.changes.includes('added default/before'), 'the label brings it into the selection')
  await client.patch(CONFIGMAPS, name, { type: 'merge', body: { metadata: { labels: { colour: 'blue' } } } })
  await client.delete(CONFIGMAPS, name)
  const gone = await t.throwsAsync(client.get(CONFIGMAPS, name), { instanceOf: ApiStatusError })
  t.true(gone.isNotFound)
  await eventually(() => changes.length === 3, 'all changes')
  t.deepEqual(changes, ['modified default/before', 'modified default/before', 'deleted default/before'])
  await eventually(() => chosen.changes.length === 2, 'it left the selection')
  t.deepEqual(chosen.changes, ['added default/before', 'deleted default/before'])
  t.is(informer.problem, '')
})

test('1,000 rapid changes are seen in order, none twice', async t => {
  const server = await startApiserver(t)
  const client = await clientOf(t, server)
  const { informer } = await follow(t, client)
  const seen: number[] = []
  informer.subscribe(change => {
    if (change.type !== 'deleted' && change.key === 'default/counter') seen.push(Number(change.object.data?.n))
  })
  let current = await client.create(CONFIGMAPS, configMap('counter', { n: '0' }))
  for (let n = 1; n < 1_000; n++) current = await client.update(CONFIGMAPS, { ...current, data: { n: String(n) } })
  await eventually(() => informer.get('default/counter')?.data?.n === '999', 'the last change')
  t.deepEqual(
    seen,
    Array.from({ length: 1_000 }, (_, n) => n),
  )
})

test('pages and streaming lists agree, for thousands of objects', async t => {
  const server = await startApiserver(t)
  const client = await clientOf(t, server)
  await Promise.all(Array.from({ length: 1_200 }, (_, n) => client.create(CONFIGMAPS, configMap(`c${n}`))))
  const { informer } = await follow(t, client)
  const paged: string[] = []
  let position: string | undefined = ''
  let pages = 0
  while (position !== undefined) {
    const page: ListMeta = await client.listItems<ConfigMap>(
      CONFIGMAPS,
      { namespace: 'default', limit: 500, continue: position },
      item => paged.push(`default/${item.metadata.name}`),
    )
    position = page.continue
    pages++
  }
  t.true(pages >= 3)
  t.deepEqual(paged.sort(), [...informer.entries()].map(([key]) => key).sort())
})

test('leader election on real Leases: one leads, the other follows when it goes', async t => {
  const server = await startApiserver(t)
  const log: string[] = []
  const stand = async (identity: string) => {
    const lead = async (signal: AbortSignal) => {
      log.push(identity)
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    }
    const client = await clientOf(t, server)
    const lease = { namespace: 'kube-system', name: 'seamark-test' }
    const election = new LeaderElection({ client, lease, identity, lead, retryPeriod: 100 })
    await election.start()
    t.teardown(() => election.close())
    return election
  }
  const first = await stand('one')
  await eventually(() => log.length === 1, 'the first leads')
  const second = await stand('two')
  await eventually(() => second.leader === 'one', 'the second sees who leads')
  await first.close()
  await eventually(() => log.length === 2, 'the second leads')
  t.deepEqual(log, ['one', 'two'])
})
