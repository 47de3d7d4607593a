/**
 * Durable writes to the API by 64 clients, each on a TLS connection: Pods that are made, over both versions of HTTP, and
 * objects that several clients read and write back with their version.
 */
import { treeProcessorTime } from '../accounting.ts'
import { Clients } from '../apiserver/client.ts'
import { type HttpLoad, runHttpLoad } from '../apiserver/http-load.ts'
import { PODS, podBody } from '../apiserver/pods.ts'
import { RunningApiserverProgram } from '../apiserver/running-apiserver.ts'
import type { BenchCase, Figures } from '../bench-case.ts'

const CLIENTS = 64
const SECONDS = 3
/** Seconds, some 8,000 creates: by then the compiler has seen what a create needs (`hits` and the others wait for that, too). */
const WARM_UP = 6
/** Objects that the clients share when they update. */
const SHARED = 16

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

/** A bearer token that may do everything; without controllers nobody else makes the Pods' account. */
const makeToken = async (apiserver: RunningApiserverProgram): Promise<string> => {
  for (const name of ['default', 'bench']) await apiserver.make(ACCOUNTS, { metadata: { name } })
  await apiserver.make(BINDINGS, {
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'bench', namespace: 'default' }],
  })
  const { text } = await apiserver.make(`${ACCOUNTS}/bench/token`, { spec: {} })
  return JSON.parse(text).status.token
}

const countPods = async (apiserver: RunningApiserverProgram): Promise<number> => {
  const { metadata, items } = JSON.parse((await apiserver.send('GET', `${PODS}?limit=1`)).text)
  return items.length + (metadata.remainingItemCount ?? 0)
}

const measureCreates = async (
  apiserver: RunningApiserverProgram,
  token: string,
  protocol: HttpLoad['protocol'],
): Promise<Figures> => {
  const [before, pods] = [treeProcessorTime(apiserver.pid), await countPods(apiserver)]
  const { good, bad, perSecond, p99 } = await runHttpLoad({
    url: apiserver.url + PODS,
    body: JSON.stringify(podBody({ generateName: 'web-' })),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    clients: CLIENTS,
    seconds: SECONDS,
    warmUp: WARM_UP,
    protocol,
  })
  if (bad.length > 0)
    throw new Error(`${bad.length} of ${good + bad.length} creates were refused: ${[...new Set(bad)]}`)
  const processor = (treeProcessorTime(apiserver.pid) - before) * 1000
  // The warm-up's are among them.
  const made = (await countPods(apiserver)) - pods
  return {
    [`creates/s, ${protocol}`]: perSecond,
    [`p99 of creates, ${protocol}, ms`]: p99,
    [`CPU µs/create, ${protocol}`]: processor / made,
  }
}

const measureUpdates = async (apiserver: RunningApiserverProgram): Promise<Figures> => {
  const names = Array.from({ length: SHARED }, (_, index) => `shared-${index}`)
  for (const name of names) {
    const reply = await apiserver.send('POST', CONFIG_MAPS, { metadata: { name }, data: { size: 'x'.repeat(1000) } })
    if (reply.code !== 201 && reply.code !== 409) throw new Error(reply.text)
  }
  const paths = names.map(name => `${CONFIG_MAPS}/${name}`)
  const clients = new Clients({ type: 'update', access: apiserver.access, clients: CLIENTS, paths, seconds: SECONDS })
  const { written, conflicts, seconds } = await clients.next<{ written: number; conflicts: number; seconds: number }>()
  await clients.close()
  return { 'updates/s': written / seconds, 'conflicts/update': conflicts / written }
}

const run: BenchCase['run'] = async () => {
  const apiserver = await RunningApiserverProgram.start()
  try {
    const token = await makeToken(apiserver)
    return {
      ...(await measureCreates(apiserver, token, 'HTTP/1.1')),
      ...(await measureCreates(apiserver, token, 'HTTP/2')),
      ...(await measureUpdates(apiserver)),
    }
  } finally {
    await apiserver.close()
  }
}

export default { name: 'apiserver', run } satisfies BenchCase
