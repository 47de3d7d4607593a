/**
 * What clients notice when upstreams die, and how much goes to one upstream, over TLS on how many connections (wanted:
 * 10,000 questions a second on four). The server's own plugins in this process with what asks them; the upstreams are
 * processes of their own (over TLS: a thread).
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { type Configuration, loadConfiguration, type World } from '#resolver/configuration.ts'
import { formatProblem } from '#resolver/corefile/syntax.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { makeAuthority } from '../../test/support/certificates.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import type { UpstreamData } from '../forward/tls-upstream.ts'
import { UpstreamStub } from '../upstream.ts'

/** Questions a second of the cases with two upstreams: names that are in no cache. */
const RATE = 1000
/** Questions under way where the rate is what is measured. */
const WINDOW = 200
/** Milliseconds of each measurement. */
const DURATION = 3000
const POPULAR_NAMES = 100
/** Beyond the TTL of what the upstreams say, milliseconds. */
const LATER = 400_000

/** `silent`: takes questions and answers none, as a machine that has lost its power. `closed`: its port is closed. */
type Fate = 'silent' | 'closed'

const startUpstream = async (): Promise<UpstreamStub> => {
  const upstream = new UpstreamStub()
  await upstream.open()
  return upstream
}

const kill = (upstream: UpstreamStub, fate: Fate): void => {
  if (fate === 'silent') upstream.capacity = 0
  else upstream.close()
}

const makeWorld = (clock: Clock): World => ({
  clock,
  random: systemRandom,
  logger: silentLogger,
  registry: createRegistry(),
  version: 'bench',
  hostname: 'bench',
  localAddresses: () => [],
  overrides: {},
  variables: {},
  print: () => {},
})

const start = async (text: string, world: World, folder = '/'): Promise<Configuration> => {
  const loaded = await loadConfiguration({ text, name: 'Corefile', folder }, world)
  if (!loaded.ok) throw new Error(loaded.problem.map(formatProblem).join('\n'))
  await loaded.value.start(new AbortController().signal)
  return loaded.value
}

interface Asked {
  readonly milliseconds: number
  readonly good: boolean
}

let turn = 0
const freshName = (): string => `n${turn++}.zone-${turn % 997}.example.`

const ask = async (configuration: Configuration, name: string): Promise<Asked> => {
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  const packet = encodeQuery({ id: 1, name, type: recordTypes.A, recursionDesired: true, edns })
  const nobody = { address: '127.0.0.1', port: 40_000 }
  const start = performance.now()
  const reply = await configuration.responder(packet, {
    transport: 'udp',
    client: nobody,
    local: nobody,
    server: 'dns://:53',
  })
  const good = reply !== undefined && (reply[3]! & 15) === 0 && reply.readUInt16BE(6) > 0
  return { milliseconds: performance.now() - start, good }
}

/** Asks at a steady rate, whatever comes back. */
const load = async (configuration: Configuration, rate: number): Promise<readonly Asked[]> => {
  const asked: Promise<Asked>[] = []
  const begin = performance.now()
  for (;;) {
    const elapsed = performance.now() - begin
    if (elapsed >= DURATION) return Promise.all(asked)
    while (asked.length < (elapsed / 1000) * rate) asked.push(ask(configuration, freshName()))
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

/** Keeps so many questions under way: what goes through. */
const flow = async (configuration: Configuration, window: number): Promise<readonly Asked[]> => {
  const asked: Asked[] = []
  const end = performance.now() + DURATION
  const client = async () => {
    while (performance.now() < end) asked.push(await ask(configuration, freshName()))
  }
  await Promise.all(Array.from({ length: window }, client))
  return asked
}

const percentile = (asked: readonly Asked[], share: number): number => {
  const sorted = asked.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const bad = (asked: readonly Asked[]): number => asked.filter(({ good }) => !good).length

/** The one that most questions go to. */
const preferredOf = (configuration: Configuration): number => {
  const forward = configuration.plugins.find(({ name }) => name === 'forward')
  const { upstreams } = forward!.statistics!() as { readonly upstreams: readonly { readonly queries: number }[] }
  return upstreams[0]!.queries > upstreams[1]!.queries ? 0 : 1
}

const killOne = async (fate: Fate): Promise<Figures> => {
  const upstreams = [await startUpstream(), await startUpstream()]
  const servers = upstreams.map(({ port }) => `127.0.0.1:${port}`).join(' ')
  const configuration = await start(`. {\n forward . ${servers}\n}`, makeWorld(systemClock))
  await load(configuration, RATE)
  const spent = process.threadCpuUsage()
  const before = await load(configuration, RATE)
  const { user, system } = process.threadCpuUsage(spent)
  const measured = load(configuration, RATE)
  kill(upstreams[preferredOf(configuration)]!, fate)
  const after = await measured
  await configuration.close()
  for (const upstream of upstreams) upstream.close()
  return {
    [`one ${fate}: p99 before, ms`]: percentile(before, 0.99),
    [`one ${fate}: p99 after, ms`]: percentile(after, 0.99),
    [`one ${fate}: p99.9 after, ms`]: percentile(after, 0.999),
    [`one ${fate}: slowest after, ms`]: percentile(after, 1),
    [`one ${fate}: failed`]: bad(after),
    [`UDP: processor time a question at ${RATE}/s, µs`]: (user + system) / before.length,
  }
}

const overUdp = async (): Promise<Figures> => {
  const upstream = await startUpstream()
  const configuration = await start(`. {\n forward . 127.0.0.1:${upstream.port}\n}`, makeWorld(systemClock))
  await flow(configuration, WINDOW)
  const before = process.threadCpuUsage()
  const asked = await flow(configuration, WINDOW)
  const { user, system } = process.threadCpuUsage(before)
  await configuration.close()
  upstream.close()
  return {
    'UDP: answered a second': (asked.length - bad(asked)) / (DURATION / 1000),
    'UDP: failed': bad(asked),
    'UDP: processor time a question, µs': (user + system) / asked.length,
  }
}

const killAll = async (): Promise<Figures> => {
  const upstreams = [await startUpstream(), await startUpstream()]
  const servers = upstreams.map(({ port }) => `127.0.0.1:${port}`).join(' ')
  let offset = 0
  const clock: Clock = {
    now: () => systemClock.now() + offset,
    monotonic: () => systemClock.monotonic() + offset,
    after: (delay, task) => systemClock.after(delay, task),
  }
  const configuration = await start(`. {\n cache\n forward . ${servers}\n}`, makeWorld(clock))
  const names = Array.from({ length: POPULAR_NAMES }, (_, index) => `popular-${index}.example.`)
  const askAll = () => Promise.all(names.map(name => ask(configuration, name)))
  await askAll()
  for (const upstream of upstreams) kill(upstream, 'silent')
  offset = LATER
  const stale = await askAll()
  const again = await askAll()
  await configuration.close()
  for (const upstream of upstreams) upstream.close()
  return {
    'all silent: popular names answered, %': (100 * (POPULAR_NAMES - bad(stale))) / POPULAR_NAMES,
    'all silent: slowest, ms': percentile(stale, 1),
    'all silent: slowest of the next, ms': percentile(again, 1),
  }
}

const overTls = async (): Promise<Figures> => {
  const authority = await makeAuthority()
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  writeFileSync(join(folder, 'ca.pem'), authority.ca)
  const { key, cert } = await authority.server()
  const data: UpstreamData = { key: Buffer.from(key), cert: Buffer.from(cert) }
  const upstream = new Worker(new URL('../forward/tls-upstream.ts', import.meta.url), { workerData: data })
  const [port] = (await once(upstream, 'message')) as [number]
  const world = makeWorld(systemClock)
  const target = `tls://127.0.0.1%dns.example:${port}`
  const configuration = await start(`. {\n forward . ${target} {\n tls ca.pem\n }\n}`, world, folder)
  await flow(configuration, WINDOW)
  const before = process.threadCpuUsage()
  const asked = await flow(configuration, WINDOW)
  const { user, system } = process.threadCpuUsage(before)
  const opened = /conn_cache_misses_total\{[^}]*\} (\d+)/.exec(await world.registry.metrics())?.[1]
  await configuration.close()
  await upstream.terminate()
  rmSync(folder, { recursive: true })
  return {
    'TLS: answered a second': (asked.length - bad(asked)) / (DURATION / 1000),
    'TLS: failed': bad(asked),
    'TLS: connections': Number(opened),
    'TLS: processor time a question, µs': (user + system) / asked.length,
    'TLS: p50, ms': percentile(asked, 0.5),
    'TLS: p99, ms': percentile(asked, 0.99),
  }
}

export default {
  name: 'forward',
  async run() {
    return {
      ...(await killOne('silent')),
      ...(await killOne('closed')),
      ...(await killAll()),
      ...(await overUdp()),
      ...(await overTls()),
    }
  },
} satisfies BenchCase
