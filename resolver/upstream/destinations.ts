/**
 * The upstreams that a `forward` names. A resolv.conf among them is read again when it changes: nodes get new servers by
 * DHCP while the DNS server runs. An upstream that stays keeps what is known of it.
 */
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { parseResolvConf } from '../resolvconf.ts'
import { type Destination, formatTarget, type UpstreamTarget } from './target.ts'
import type { Upstream } from './upstream.ts'

/** CoreDNS's limit of a `forward`. */
const MAXIMUM_UPSTREAMS = 15
/** A stat a file: soon enough for a node whose servers change by DHCP. */
const CHECK_INTERVAL: Milliseconds = 5000

export interface DestinationsOptions {
  readonly destinations: readonly Destination[]
  readonly makeUpstream: (target: UpstreamTarget) => Upstream
  readonly clock: Clock
  readonly logger: Logger
}

export class Destinations {
  readonly #options: DestinationsOptions
  #upstreams: ReadonlyMap<string, Upstream>
  readonly #looks: Recurrence
  #fingerprint: string | undefined

  private constructor(options: DestinationsOptions, targets: readonly UpstreamTarget[]) {
    this.#options = options
    this.#upstreams = new Map(targets.map(target => [formatTarget(target), options.makeUpstream(target)]))
    this.#looks = new Recurrence({ clock: options.clock, interval: CHECK_INTERVAL, task: () => this.#check() })
  }

  static create(options: DestinationsOptions): Result<Destinations, string> {
    const targets = readTargets(options.destinations, path => readFileSync(path, 'utf8'))
    return targets.ok ? accepted(new Destinations(options, targets.value)) : targets
  }

  get upstreams(): readonly Upstream[] {
    return [...this.#upstreams.values()]
  }

  /** Watches the files, if there are any. */
  async start(): Promise<void> {
    if (this.#files.length === 0) return
    this.#fingerprint = await this.#stamp()
    this.#looks.begin()
  }

  close(): void {
    this.#looks.end()
    for (const upstream of this.#upstreams.values()) upstream.close()
  }

  get #files(): readonly string[] {
    return this.#options.destinations.flatMap(one => (one.kind === 'file' ? [one.path] : []))
  }

  async #check(): Promise<void> {
    const fingerprint = await this.#stamp()
    if (fingerprint === this.#fingerprint || this.#looks.ended) return
    this.#fingerprint = fingerprint
    const texts = new Map<string, string>()
    for (const path of this.#files) texts.set(path, await readFile(path, 'utf8').catch(() => ''))
    const targets = readTargets(this.#options.destinations, path => texts.get(path)!)
    if (targets.ok) this.#replace(targets.value)
    else this.#options.logger.warn({ problem: targets.problem }, 'the upstreams are kept: the changed file has none')
  }

  #replace(targets: readonly UpstreamTarget[]): void {
    const next = new Map<string, Upstream>()
    for (const target of targets) {
      const label = formatTarget(target)
      next.set(label, this.#upstreams.get(label) ?? this.#options.makeUpstream(target))
    }
    for (const [label, upstream] of this.#upstreams) if (!next.has(label)) upstream.close()
    this.#upstreams = next
    this.#options.logger.info({ upstreams: [...next.keys()] }, 'upstreams changed')
  }

  async #stamp(): Promise<string> {
    const stamps = this.#files.map(path =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => 'absent',
      ),
    )
    return (await Promise.all(stamps)).join()
  }
}

const readTargets = (
  destinations: readonly Destination[],
  read: (path: string) => string,
): Result<readonly UpstreamTarget[], string> => {
  const targets: UpstreamTarget[] = []
  for (const destination of destinations) {
    if (destination.kind === 'server') {
      targets.push(destination.target)
      continue
    }
    const servers = readServers(destination.path, read)
    if (!servers.ok) return servers
    targets.push(...servers.value)
  }
  if (targets.length > MAXIMUM_UPSTREAMS)
    return refused(`${targets.length} upstreams, but at most ${MAXIMUM_UPSTREAMS} are allowed`)
  return accepted(targets)
}

const readServers = (path: string, read: (path: string) => string): Result<readonly UpstreamTarget[], string> => {
  let text: string
  try {
    text = read(path)
  } catch (error) {
    return refused(`"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const addresses = parseResolvConf(text).nameservers.filter(address => isIP(address.replace(/%.*$/, '')) !== 0)
  if (addresses.length === 0) return refused(`"${path}" has no nameserver line with an IP address`)
  return accepted(addresses.map(address => ({ protocol: 'dns', address, port: 53, serverName: undefined })))
}
