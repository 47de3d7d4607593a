/** The law of order (docs/architecture.md): the first answer after the API's 2xx is the new one. */
import test from 'ava'
import type { RestClient } from '#watcher/client.ts'
import type { ApiObject } from '#watcher/object.ts'
import { adminClient, SERVICES } from '../support/admin-client.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { kubectl } from '../support/kubectl.ts'

const NAME = 'changing.default.svc.cluster.local'
/** Milliseconds: how long a thousand changes take is another matter. */
const PATIENCE = 600_000

interface Service extends ApiObject {
  spec: { type: string; externalName?: string; ports?: unknown[]; clusterIP?: string }
}

const firstAnswer = async (cluster: Cluster, type: string, transport: 'udp' | 'tcp' = 'udp'): Promise<unknown> =>
  (await ask({ name: NAME, type, port: cluster.dnsPort, transport })).answers[0]?.data

/** Creates, changes and deletes in turn, so that both positive and negative answers must be new. */
const change = async (client: RestClient, cluster: Cluster, round: number): Promise<boolean> => {
  const transport = round % 4 === 3 ? 'tcp' : 'udp'
  const metadata = { name: 'changing', namespace: 'default' }
  if (round % 3 === 0) {
    const created = await client.create<Service>(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
    })
    return (await firstAnswer(cluster, 'A', transport)) === created.spec.clusterIP
  }
  if (round % 3 === 1) {
    const externalName = `round-${round}.default.svc.cluster.local`
    const body = { spec: { type: 'ExternalName', externalName, clusterIP: null, clusterIPs: null } }
    await client.patch(SERVICES, metadata, { type: 'merge', body })
    return (await firstAnswer(cluster, 'CNAME', transport)) === externalName
  }
  await client.delete(SERVICES, metadata)
  return (await ask({ name: NAME, port: cluster.dnsPort, transport })).rcode === 'NXDOMAIN'
}

test.serial('1,000 changes by REST: each first answer is the new one', async t => {
  t.timeout(PATIENCE)
  const cluster = await startCluster(t)
  const client = await adminClient(t, cluster.kubeconfig)
  const stale: number[] = []
  for (let round = 0; round < 1000; round++) if (!(await change(client, cluster, round))) stale.push(round)
  t.deepEqual(stale, [])
})

test.serial('100 changes by kubectl: each first answer is the new one', async t => {
  t.timeout(PATIENCE)
  const cluster = await startCluster(t)
  const stale: number[] = []
  const changeByKubectl = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await kubectl(args, { kubeconfig: cluster.kubeconfig })
    t.is(code, 0, stderr)
  }
  await changeByKubectl('create', 'service', 'externalname', 'changing', '--external-name', 'round-0.example.org')
  for (let round = 1; round < 100; round++) {
    const externalName = `round-${round}.example.org`
    await changeByKubectl('patch', 'service', 'changing', '-p', JSON.stringify({ spec: { externalName } }))
    if ((await firstAnswer(cluster, 'CNAME')) !== externalName) stale.push(round)
  }
  await changeByKubectl('delete', 'service', 'changing')
  if ((await ask({ name: NAME, port: cluster.dnsPort })).rcode !== 'NXDOMAIN') stale.push(100)
  t.deepEqual(stale, [])
})
