/**
 * The upstreams that a `forward` names. A resolv.conf among them is read again when it changes: nodes get new servers by
 * DHCP while the DNS server runs. Host names are looked up at the start and whenever their TTL has run out. An upstream
 * that stays keeps what is known of it.
 */
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { parseResolvConf } from '../resolvconf.ts'
import type { ExchangeTap } from './exchange-tap.ts'
import type { HostAddresses } from './host-addresses.ts'
import { type Destination, targetKey, type UpstreamTarget } from './target.ts'
import type { Upstream } from './upstream.ts'

/** CoreDNS's limit of a `forward`. */
const MAXIMUM_UPSTREAMS = 15
/** A stat a file: soon enough for a node whose servers change by DHCP. */
const CHECK_INTERVAL: Milliseconds = 5000

export interface DestinationsOptions {
  /** Where the upstreams tell what they exchange. */
  readonly tap: ExchangeTap
  readonly destinations: readonly Destination[]
  readonly makeUpstream: (target: UpstreamTarget) => Upstream
  /** Keeps the addresses of a host name; told of each change. */
  readonly watchHost: (host: string, onChange: () => void) => HostAddresses
  readonly clock: Clock
  readonly logger: Logger
}

export class Destinations {
  readonly #options: DestinationsOptions
  #upstreams: ReadonlyMap<string, Upstream>
  /** Where each destination leads as far as is known: its targets, by its place. */
  #files: ReadonlyMap<string, readonly UpstreamTarget[]>
  readonly #hosts: ReadonlyMap<string, HostAddresses>
  readonly #looks: Recurrence
  #fingerprint: string | undefined

  private constructor(options: DestinationsOptions, files: ReadonlyMap<string, readonly UpstreamTarget[]>) {
    this.#options = options
    this.#files = files
    const names = options.destinations.flatMap(one => (one.kind === 'name' ? [one.target.host] : []))
    this.#hosts = new Map(
      [...new Set(names)].map(host => [host, options.watchHost(host, () => this.#converge())] as const),
    )
    this.#upstreams = new Map(this.#targets().map(target => [targetKey(target), options.makeUpstream(target)]))
    this.#looks = new Recurrence({ clock: options.clock, interval: CHECK_INTERVAL, task: () => this.#check() })
  }

  static create(options: DestinationsOptions): Result<Destinations, string> {
    const paths = pathsOf(options.destinations)
    const files = readFiles(paths, path => readFileSync(path, 'utf8'))
    if (!files.ok) return files
    const known = options.destinations.filter(({ kind }) => kind !== 'file').length
    const count = known + [...files.value.values()].flat().length
    if (count > MAXIMUM_UPSTREAMS) return refused(`${count} upstreams, but at most ${MAXIMUM_UPSTREAMS} are allowed`)
    return accepted(new Destinations(options, files.value))
  }

  get tap(): ExchangeTap {
    return this.#options.tap
  }

  get upstreams(): readonly Upstream[] {
    return [...this.#upstreams.values()]
  }

  /** Resolves when all host names have been looked up for the first time, found or not. */
  async known(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(host => host.known))
  }

  /** Looks names up, and watches the files, if there are any. */
  async start(): Promise<void> {
    for (const host of this.#hosts.values()) host.start()
    if (this.#files.size === 0) return
    this.#fingerprint = await this.#stamp()
    this.#looks.begin()
  }

  /** Reads the files whether they look changed or not. */
  async readAgain(): Promise<void> {
    if (this.#files.size === 0) return
    this.#fingerprint = undefined
    await this.#check()
  }

  close(): void {
    this.#looks.end()
    for (const host of this.#hosts.values()) host.close()
    for (const upstream of this.#upstreams.values()) upstream.close()
  }

  /** In the order of the Corefile; the first fifteen. */
  #targets(): readonly UpstreamTarget[] {
    const targets = this.#options.destinations.flatMap((destination): readonly UpstreamTarget[] => {
      if (destination.kind === 'server') return [destination.target]
      if (destination.kind === 'file') return this.#files.get(destination.path) ?? []
      const { host, ...endpoint } = destination.target
      return (this.#hosts.get(host)?.addresses ?? []).map(address => ({ ...endpoint, address }))
    })
    return targets.slice(0, MAXIMUM_UPSTREAMS)
  }

  async #check(): Promise<void> {
    const fingerprint = await this.#stamp()
    if (fingerprint === this.#fingerprint || this.#looks.ended) return
    this.#fingerprint = fingerprint
    const texts = new Map<string, string>()
    for (const path of this.#files.keys()) texts.set(path, await readFile(path, 'utf8').catch(() => ''))
    const files = readFiles([...this.#files.keys()], path => texts.get(path)!)
    if (!files.ok) {
      this.#options.logger.warn({ problem: files.problem }, 'the upstreams are kept: the changed file has none')
      return
    }
    this.#files = files.value
    this.#converge()
  }

  #converge(): void {
    const next = new Map<string, Upstream>()
    for (const target of this.#targets()) {
      const key = targetKey(target)
      next.set(key, this.#upstreams.get(key) ?? this.#options.makeUpstream(target))
    }
    const same = next.size === this.#upstreams.size && [...next.keys()].every(key => this.#upstreams.has(key))
    for (const [key, upstream] of this.#upstreams) if (!next.has(key)) upstream.close()
    this.#upstreams = next
    if (!same)
      this.#options.logger.info({ upstreams: [...next.values()].map(({ label }) => label) }, 'upstreams changed')
  }

  async #stamp(): Promise<string> {
    const stamps = [...this.#files.keys()].map(path =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => 'absent',
      ),
    )
    return (await Promise.all(stamps)).join()
  }
}

const pathsOf = (destinations: readonly Destination[]): readonly string[] =>
  destinations.flatMap(one => (one.kind === 'file' ? [one.path] : []))

const readFiles = (
  paths: readonly string[],
  read: (path: string) => string,
): Result<ReadonlyMap<string, readonly UpstreamTarget[]>, string> => {
  const files = new Map<string, readonly UpstreamTarget[]>()
  for (const path of paths) {
    const servers = readServers(path, read)
    if (!servers.ok) return servers
    files.set(path, servers.value)
  }
  return accepted(files)
}

const readServers = (path: string, read: (path: string) => string): Result<readonly UpstreamTarget[], string> => {
  let text: string
  try {
    text = read(path)
  } catch (error) {
    return refused(`"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const servers = resolvConfServers(text)
  return servers.length > 0 ? accepted(servers) : refused(`"${path}" has no nameserver line with an IP address`)
}

/** The servers of a resolv.conf. */
export const resolvConfServers = (text: string): readonly UpstreamTarget[] =>
  parseResolvConf(text)
    .nameservers.filter(address => isIP(address.replace(/%.*$/, '')) !== 0)
    .map(address => ({ protocol: 'dns', address, port: 53, serverName: undefined, path: '' }))
