/**
 * The DNS server and the apiserver are killed again and again while clients ask and services come and go: a service that
 * exists is never said not to (NXDOMAIN), from the API's word for it on, and no name of the cluster is asked of the
 * upstream. `SEAMARK_KILL_ROUNDS` says how often; the number is 200.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { RestClient } from '#watcher/client.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import type { Resource } from '#watcher/resource.ts'
import { ask } from '../support/dns-client.ts'
import { record } from '../support/dns-server.ts'
import { freePort } from '../support/free-port.ts'
import { KillablePart } from '../support/killable-part.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startUpstream } from '../support/upstream.ts'

const ROUNDS = Number(process.env.SEAMARK_KILL_ROUNDS ?? 4)
const CLIENTS = 4
const Z = 'cluster.local'
const services: Resource = { group: '', version: 'v1', resource: 'services' }

const corefile = (upstream: string): string => `.:53 {
    kubernetes ${Z} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . ${upstream}
}
`

/** What clients may count on: services that were created, with the API's word for it, and that nobody has deleted. */
class Truth {
  readonly alive = new Map<string, string>()
  readonly deleted = new Set<string>()
}

/** Creates and deletes services while it can; of a call that fails nobody knows what became of it, and nobody asks. */
const churn = async (client: RestClient, truth: Truth, signal: AbortSignal): Promise<void> => {
  for (let number = 0; !signal.aborted; number++) {
    const name = `come-and-go-${number}`
    const ports = [{ name: 'http', port: 80 }]
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { ports } }
    const options = { namespace: 'default', timeout: 2000, signal }
    const made = await client.create(services, object, options).catch(() => undefined)
    const address = (made?.spec as { clusterIP?: string } | undefined)?.clusterIP
    if (address !== undefined) truth.alive.set(name, address)
    const oldest = truth.alive.size > 20 ? [...truth.alive.keys()].find(key => key.startsWith('come')) : undefined
    if (oldest !== undefined) {
      truth.alive.delete(oldest)
      const gone = await client.delete(services, { namespace: 'default', name: oldest }, options).catch(() => undefined)
      if (gone !== undefined) truth.deleted.add(oldest)
    }
    await sleep(systemClock, 20, signal)
  }
}

/** What clients saw: rcode → how often, and whatever was wrong. */
interface Seen {
  readonly rcodes: Map<string, number>
  readonly wrong: string[]
}

const client = async (port: number, truth: Truth, seen: Seen, signal: AbortSignal): Promise<void> => {
  for (let turn = 0; !signal.aborted; turn++) {
    const known = [...truth.alive]
    const [name, address] = known[turn % Math.max(1, known.length)] ?? ['kubernetes', '10.96.0.1']
    const [question, wanted] =
      turn % 4 === 0 ? [`never-${turn}.default.svc.${Z}`, undefined] : [`${name}.default.svc.${Z}`, address]
    const reply = await ask({ name: question, port, deadline: 2000 }).catch(() => undefined)
    const rcode = reply?.rcode ?? 'silence'
    // Whoever asks a port that nobody has hears so at once, and would only take time from those who start.
    if (!reply) await sleep(systemClock, 20)
    seen.rcodes.set(rcode, (seen.rcodes.get(rcode) ?? 0) + 1)
    if (reply && wanted === undefined && rcode !== 'NXDOMAIN' && rcode !== 'SERVFAIL')
      seen.wrong.push(`${question} ${rcode}`)
    if (reply && wanted !== undefined) judge(reply, { name, address, truth, seen })
  }
}

/** Of a name that somebody may count on. */
const judge = (
  { rcode, answers }: Awaited<ReturnType<typeof ask>>,
  { name, address, truth, seen }: { name: string; address: string; truth: Truth; seen: Seen },
): void => {
  // Deleted meanwhile, it may be gone.
  if (truth.alive.get(name) !== address) return
  const addresses = answers.map(answer => ('data' in answer ? String(answer.data) : '')).join()
  if (rcode === 'NXDOMAIN' || (rcode === 'NOERROR' && addresses !== address))
    seen.wrong.push(`${name} ${rcode} ${addresses}`)
}

const untilAnswered = async (name: string, port: number, rcode: string): Promise<number> => {
  const began = performance.now()
  for (;;) {
    const reply = await ask({ name, port, deadline: 1000 }).catch(() => undefined)
    if (reply?.rcode === rcode) return performance.now() - began
    if (performance.now() - began > 60_000) throw new Error(`${name} was not ${rcode} within 60 s`)
  }
}

interface World {
  readonly apiserver: KillablePart
  readonly dns: KillablePart
  readonly port: number
  readonly client: RestClient
  readonly upstreamNames: () => string[]
}

const startWorld = async (t: ExecutionContext): Promise<World> => {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t, {
    respond: ({ question: { name } }) => emptyAnswer(0, { answers: [{ ...record('. 60 A 192.0.2.1'), name }] }),
  })
  const [apiPort, port] = [await freePort(), await freePort()]
  const conf = join(folder, 'Corefile')
  writeFileSync(conf, corefile(upstream.target))
  const data = join(folder, 'data')
  const apiArgs = ['apiserver', '--data-dir', data, '--apiserver-address', `127.0.0.1:${apiPort}`]
  const apiserver = new KillablePart(apiArgs, join(folder, 'apiserver.log'))
  const kubeconfig = join(data, 'kubeconfigs', 'dns.kubeconfig')
  const dnsArgs = ['dns', '--conf', conf, '--kubeconfig', kubeconfig, '--dns-address', `127.0.0.1:${port}`]
  const dns = new KillablePart([...dnsArgs, '--state-dir', join(folder, 'state')], join(folder, 'dns.log'))
  t.teardown(() => Promise.all([apiserver.kill(), dns.kill()]))
  await apiserver.start()
  await dns.start()
  const file = join(data, 'admin.kubeconfig')
  const access = await loadKubeconfig({ file, environment: {}, clock: systemClock })
  const rest = new RestClient({ access, clock: systemClock, logger: silentLogger, userAgent: 'kill-loop' })
  t.teardown(() => rest.close())
  return {
    apiserver,
    dns,
    port,
    client: rest,
    upstreamNames: () => upstream.queries.map(({ question }) => question.name),
  }
}

/** The DNS server, the apiserver, both in turn; sometimes again before they have come up. Gives how long DNS was mute. */
const killOnce = async (round: number, { apiserver, dns, port }: World): Promise<number | undefined> => {
  const parts = [[dns], [apiserver], [dns, apiserver]][round % 3]!
  await Promise.all(parts.map(part => part.kill()))
  await sleep(systemClock, Math.random() * 200)
  const began = performance.now()
  for (const part of parts) part.start().catch(() => {})
  if (round % 7 === 3) {
    await sleep(systemClock, Math.random() * 500)
    return undefined
  }
  await untilAnswered(`kubernetes.default.svc.${Z}`, port, 'NOERROR')
  const mute = performance.now() - began
  await sleep(systemClock, Math.random() * 1000)
  return parts.includes(dns) ? mute : undefined
}

test('servers are killed, services come and go, and nobody hears of a service that it does not exist', async t => {
  t.timeout(180_000 + ROUNDS * 20_000)
  const world = await startWorld(t)
  const { port } = world
  const truth = new Truth()
  truth.alive.set('kubernetes', '10.96.0.1')
  await untilAnswered(`kubernetes.default.svc.${Z}`, port, 'NOERROR')
  const stop = new AbortController()
  const seen: Seen = { rcodes: new Map(), wrong: [] }
  const loops = [churn(world.client, truth, stop.signal)]
  for (let number = 0; number < CLIENTS; number++) loops.push(client(port, truth, seen, stop.signal))
  const mute: number[] = []
  for (let round = 0; round < ROUNDS; round++) mute.push(...[(await killOnce(round, world)) ?? []].flat())
  await untilAnswered(`never.default.svc.${Z}`, port, 'NXDOMAIN')
  stop.abort()
  await Promise.all(loops)
  t.deepEqual(seen.wrong, [])
  t.true((seen.rcodes.get('NOERROR') ?? 0) > ROUNDS)
  for (const name of truth.alive.keys()) t.is((await ask({ name: `${name}.default.svc.${Z}`, port })).rcode, 'NOERROR')
  for (const name of truth.deleted) t.is((await ask({ name: `${name}.default.svc.${Z}`, port })).rcode, 'NXDOMAIN')
  t.is((await ask({ name: 'www.example.com', port })).rcode, 'NOERROR')
  t.deepEqual([...new Set(world.upstreamNames().filter(name => name.endsWith(`${Z}.`)))], [])
  const sorted = mute.toSorted((a, b) => a - b).map(Math.round)
  t.log(`${ROUNDS} rounds; replies: ${JSON.stringify(Object.fromEntries(seen.rcodes))}`)
  t.log(`services created: ${truth.alive.size + truth.deleted.size}; from start to answer, ms: ${sorted.join(' ')}`)
})
