/** kill -9 of everything during writes: what was acknowledged is there, addresses are not given twice, watches resume. */
import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { adminClient, SERVICES } from '../support/admin-client.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'

interface Service {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly clusterIP: string }
  readonly [field: string]: unknown
}

const WRITERS = 8
const ROUNDS = 3
/** Acknowledged writes after which everything is killed. */
const WRITES = 300

/** Ids of the processes of the cluster: `seamark up` and its parts. */
const processesOf = (cluster: Cluster): number[] => {
  const up = cluster.child.pid as number
  const parts = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(up)
      } catch {
        return false
      }
    })
  return [up, ...parts.map(Number)]
}

test.serial('every acknowledged Service survives, with an address of its own', async t => {
  t.timeout(600_000)
  const acknowledged = new Map<string, string>()
  let cluster = await startCluster(t)
  for (let round = 0; round < ROUNDS; round++) {
    const client = await adminClient(t, cluster.kubeconfig)
    let dead = false
    const enough = Promise.withResolvers<void>()
    let count = 0
    const write = async (writer: number): Promise<void> => {
      for (let turn = 0; !dead; turn++) {
        const name = `s-${round}-${writer}-${turn}`
        try {
          const created = await client.create<never>(
            SERVICES,
            {
              apiVersion: 'v1',
              kind: 'Service',
              metadata: { name, namespace: 'default' },
              spec: { ports: [{ port: 80 }] },
            } as never,
            { timeout: 60_000 },
          )
          acknowledged.set(name, (created as Service).spec.clusterIP)
          if (++count === WRITES) enough.resolve()
        } catch {
          return
        }
      }
    }
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
    await Promise.race([enough.promise, Promise.all(writers)])
    for (const pid of processesOf(cluster)) process.kill(pid, 'SIGKILL')
    dead = true
    await Promise.all([...writers, cluster.exited])
    cluster = await startCluster(t, { folder: cluster.folder })
  }
  t.true(acknowledged.size >= ROUNDS * WRITES, `only ${acknowledged.size} writes were acknowledged`)
  t.log(`${acknowledged.size} acknowledged writes, ${ROUNDS} kills`)

  const client = await adminClient(t, cluster.kubeconfig)
  const { items } = await client.list<never>(SERVICES)
  const stored = new Map(
    (items as unknown as readonly Service[]).map(service => [service.metadata.name, service.spec.clusterIP]),
  )
  const lost = [...acknowledged].filter(([name, address]) => stored.get(name) !== address)
  t.deepEqual(lost, [])
  t.is(new Set(stored.values()).size, stored.size, 'an address was given twice')

  // The DNS server's watch has the restarted apiserver's objects, and what is written now.
  const [name, address] = [...acknowledged].at(-1) as [string, string]
  const reply = await ask({ name: `${name}.default.svc.cluster.local`, port: cluster.dnsPort })
  t.is(reply.answers[0]?.data, address)
})
