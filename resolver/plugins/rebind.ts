/**
 * rebind: refuses private addresses in what other servers say (dnsmasq's stop-dns-rebind). Whoever owns a public name
 * could otherwise lead a browser or a pod that trusts it to addresses inside (DNS rebinding).
 *
 * It stands before `cache` and looks at answers of other servers alone, kept or fresh: names of the cluster, of hosts and
 * of zones keep their addresses.
 */
import ipaddr from 'ipaddr.js'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain, readName } from '../wire/name.ts'
import { aaaaData, aData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const options = {
  allow: {
    kind: 'words',
    syntax: 'ZONE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'zones whose names may have private addresses (dnsmasq’s rebind-domain-ok)',
  },
  allow_localhost: {
    kind: 'flag',
    doc: 'let addresses of loopback pass, which block lists of mail servers have (dnsmasq’s rebind-localhost-ok)',
  },
} as const satisfies PropertyTable

const metrics = {
  blocked: {
    kind: 'counter',
    name: 'seamark_rebind_blocked_total',
    help: 'Answers of other servers that were withheld because of a private address.',
    labels: ['server'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly allow: readonly DnsName[]
  readonly allowLocalhost: boolean
}

export const rebindPlugin: PluginModule = {
  name: 'rebind',
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const zones = reader.zones(directive.arguments, block.zones)
    const allow = values.allow.flatMap(({ arguments: words }) => reader.zones(words, []))
    const settings = { zones, allow, allowLocalhost: values.allow_localhost }
    return reader.finish((): Plugin => new Rebind(settings, environment))
  },
}

/** Who brings what other servers said. */
const foreign: ReadonlySet<string> = new Set(['forward', 'cache'])

class Rebind implements Plugin {
  readonly name = 'rebind'
  /** What it withholds is not kept, and counted each time. */
  readonly steady = true
  readonly transparent = true
  readonly #settings: Settings
  readonly #metrics: Metrics<typeof metrics>

  constructor(settings: Settings, { registry }: Environment) {
    this.#settings = settings
    this.#metrics = registerMetrics(registry, metrics)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName } = query.question
    const { zones, allow } = this.#settings
    const isWatched = zones.some(zone => isSubdomain(canonicalName, zone))
    if (!isWatched || allow.some(zone => isSubdomain(canonicalName, zone))) return next(query)
    return whenKnown(next(query), verdict => this.#judge(query, verdict))
  }

  #judge(query: Query, verdict: Verdict): Verdict {
    if (verdict.verdict !== 'answered' || !foreign.has(verdict.by)) return verdict
    const { answers, additional, recursionAvailable } = verdict.answer
    const found = [...answers, ...additional].map(record => this.#privateAddress(record)).find(Boolean)
    if (found === undefined) return verdict
    this.#metrics.blocked.inc({ server: query.server })
    query.trace?.add('rebind', 'answer withheld for a private address', { address: found })
    // No SOA: a client is not to keep what the next answer may mend. RFC 8914 §4.16.
    const text = `the answer has the private address ${found}`
    const extendedErrors = [{ code: extendedErrorCodes.BLOCKED, text }]
    return answered('rebind', emptyAnswer(rcodes.NOERROR, { recursionAvailable, extendedErrors }))
  }

  #privateAddress(record: ResourceRecord): string | undefined {
    return addressesOf(record).find(text => {
      const range = rangeOf(ipaddr.parse(text))
      return withheld.has(range) && !(range === 'loopback' && this.#settings.allowLocalhost)
    })
  }
}

/** Those that a client may connect to. */
const addressesOf = ({ type, data }: ResourceRecord): readonly string[] => {
  switch (type) {
    // Of another length it is no address, whatever its type says.
    case recordTypes.A:
      return data.length === 4 ? [aData.decode(data)] : []
    case recordTypes.AAAA:
      return data.length === 16 ? [aaaaData.decode(data)] : []
    case recordTypes.SVCB:
    case recordTypes.HTTPS:
      return hintsOf(data)
    default:
      return []
  }
}

/** RFC 9460 §14.3.2: ipv4hint and ipv6hint, each with the bytes of its addresses and how they are read. */
const hints: Readonly<Record<number, { readonly length: number; readonly decode: (data: Buffer) => string }>> = {
  4: { length: 4, decode: aData.decode },
  6: { length: 16, decode: aaaaData.decode },
}

/** RFC 9460 §2.2: priority, target, then key, length and value of each parameter. */
const hintsOf = (data: Buffer): readonly string[] => {
  const found: string[] = []
  if (data.length < 2) return found
  for (let at = readName(data, 2)?.end ?? data.length; at + 4 <= data.length; ) {
    const end = Math.min(at + 4 + data.readUInt16BE(at + 2), data.length)
    const hint = hints[data.readUInt16BE(at)]
    for (let start = at + 4; hint && start + hint.length <= end; start += hint.length)
      found.push(hint.decode(data.subarray(start, start + hint.length)))
    at = end
  }
  return found
}

/** RFC 1918 and 4193, loopback, link-local, and "this host", which many systems take for themselves. */
const withheld: ReadonlySet<string> = new Set(['private', 'uniqueLocal', 'loopback', 'linkLocal', 'unspecified'])

/** IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056 §2) counts as what is in it. */
const rangeOf = (address: ipaddr.IPv4 | ipaddr.IPv6): string => {
  const range = address.range()
  const bytes = address.toByteArray()
  if (range === 'ipv4Mapped' || range === 'rfc6052') return new ipaddr.IPv4(bytes.slice(12)).range()
  return range === '6to4' ? new ipaddr.IPv4(bytes.slice(2, 6)).range() : range
}
