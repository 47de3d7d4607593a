/** What a `cache` directive may say, as data, and how it is read. */
import type { Milliseconds } from '#lib/clock.ts'
import type { DirectiveReader, PropertyTable, PropertyValues } from '../corefile/directive-reader.ts'
import type { Directive, Property, Word } from '../corefile/syntax.ts'
import type { DnsName } from '../wire/record.ts'
import type { CacheType, LifetimeRules } from './lifetime.ts'

const sizing = 'CAPACITY [TTL [MINTTL]]'

export const cacheOptions = {
  success: {
    kind: 'words',
    syntax: sizing,
    minimum: 1,
    maximum: 3,
    absent: '9984 3600 5',
    doc: 'entries (1024 to 10000000) and the bounds of TTLs in seconds for names that exist',
  },
  denial: {
    kind: 'words',
    syntax: sizing,
    minimum: 1,
    maximum: 3,
    absent: '9984 1800 5',
    doc: 'the same for NXDOMAIN and for names without a record of the type',
  },
  prefetch: {
    kind: 'words',
    syntax: 'AMOUNT [DURATION [PERCENTAGE%]]',
    minimum: 1,
    maximum: 3,
    absent: 'off',
    doc: 'ask again before the end (10% to 90% of the TTL left; default 10%) for names with AMOUNT queries (1 to 1000000) and no gap of DURATION (default 1m) between them',
  },
  serve_stale: {
    kind: 'words',
    syntax: '[DURATION] [immediate|verify [TIMEOUT]]',
    minimum: 0,
    maximum: 3,
    absent: 'off',
    doc: 'answer with what ended up to DURATION (1s to 168h; default 1h) ago, TTL 0: at once, asking anew behind it, or only when no upstream answers in TIMEOUT (default 1800ms)',
  },
  servfail: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 5000,
    minimum: 0,
    maximum: 300_000,
    doc: 'how long failures of upstreams are kept (RFC 2308 §7); 0: not at all',
  },
  disable: {
    kind: 'words',
    syntax: 'success|denial [ZONE…]',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'zones (default: all of the cache) whose successes or denials are not kept',
  },
  keepttl: { kind: 'flag', doc: 'answer with the TTLs that the upstream said, not with what is left of them' },
} as const satisfies PropertyTable

export interface Prefetch {
  /** Queries that make a name popular; 0: off. */
  readonly amount: number
  readonly gap: Milliseconds
  /** Share of the lifetime. */
  readonly share: number
}

export interface ServeStale {
  /** 0: off. */
  readonly duration: Milliseconds
  readonly mode: 'immediate' | 'verify'
  readonly timeout: Milliseconds
}

export interface CacheSettings {
  readonly zones: readonly DnsName[]
  readonly capacity: Readonly<Record<CacheType, number>>
  readonly rules: LifetimeRules
  readonly prefetch: Prefetch
  readonly serveStale: ServeStale
  readonly disabled: Readonly<Record<CacheType, readonly DnsName[]>>
  readonly keepTtl: boolean
}

/** CoreDNS's: 256 shards of 39 entries. */
const DEFAULT_CAPACITY = 9984
const DEFAULT_MINIMUM_TTL = 5
const ttlBounds = { minimum: 0, maximum: 86_400, unit: 'seconds' }

export const readCacheSettings = (
  reader: DirectiveReader,
  directive: Directive,
  blockZones: readonly DnsName[],
): CacheSettings => {
  const values = reader.properties(cacheOptions)
  const [first, ...rest] = directive.arguments
  // A word like `30s` is a mistaken TTL, not a zone (which could be written with its final dot).
  const hasTtl = first !== undefined && /^\d+[a-z]*$/i.test(first.text)
  const cap = hasTtl ? reader.number(first, ttlBounds) : undefined
  const zones = reader.zones(hasTtl ? rest : directive.arguments, blockZones)
  const success = readSizing(reader, values.success, cap ?? 3600)
  const denial = readSizing(reader, values.denial, cap ?? 1800)
  return {
    zones,
    capacity: { success: success.capacity, denial: denial.capacity },
    rules: { success: success.ttl, denial: denial.ttl, failure: values.servfail / 1000 },
    prefetch: readPrefetch(reader, values.prefetch[0]?.arguments ?? []),
    serveStale: readServeStale(reader, values.serve_stale[0]),
    disabled: readDisabled(reader, values, zones),
    keepTtl: values.keepttl,
  }
}

const readSizing = (reader: DirectiveReader, properties: readonly Property[], cap: number) => {
  const [capacityWord, ttlWord, minimumWord] = properties[0]?.arguments ?? []
  const bounds = { minimum: 1024, maximum: 10_000_000, unit: 'entries' }
  const capacity = capacityWord ? reader.number(capacityWord, bounds) : DEFAULT_CAPACITY
  const maximum = ttlWord ? reader.number(ttlWord, ttlBounds) : cap
  const minimum = minimumWord ? reader.number(minimumWord, ttlBounds) : DEFAULT_MINIMUM_TTL
  if (minimumWord && minimum > maximum) reader.refuse(minimumWord, `MINTTL ${minimum} is above TTL ${maximum}`)
  return { capacity, ttl: { maximum, minimum: Math.min(minimum, maximum) } }
}

const readPrefetch = (reader: DirectiveReader, [amount, gap, share]: readonly Word[]): Prefetch => ({
  amount: amount ? reader.number(amount, { minimum: 1, maximum: 1_000_000, unit: 'queries' }) : 0,
  gap: gap ? reader.duration(gap, { minimum: 1000, maximum: 86_400_000 }) : 60_000,
  share: share ? readPercentage(reader, share) : 0.1,
})

const readPercentage = (reader: DirectiveReader, word: Word): number => {
  const percent = /^(\d{1,2})%$/.exec(word.text)?.[1]
  if (percent !== undefined && Number(percent) >= 10 && Number(percent) <= 90) return Number(percent) / 100
  reader.refuse(word, `"${word.text}" is not a percentage (10% to 90%)`)
  return 0.1
}

const readServeStale = (reader: DirectiveReader, property: Property | undefined): ServeStale => {
  if (!property) return { duration: 0, mode: 'immediate', timeout: 0 }
  const words = [...property.arguments]
  const durationWord = words[0] && /^\d/.test(words[0].text) ? words.shift() : undefined
  const [modeWord, timeoutWord] = words
  const duration = durationWord ? reader.duration(durationWord, { minimum: 1000, maximum: 604_800_000 }) : 3_600_000
  const mode = modeWord ? reader.choice(modeWord, ['immediate', 'verify']) : 'immediate'
  if (timeoutWord && mode !== 'verify') reader.refuse(timeoutWord, `"${timeoutWord.text}" is one word too many`)
  // RFC 8767 §5: "Suggested value: 1.8 seconds"
  const timeout = timeoutWord ? reader.duration(timeoutWord, { minimum: 10, maximum: 10_000 }) : 1800
  return { duration, mode, timeout }
}

const readDisabled = (
  reader: DirectiveReader,
  { disable }: PropertyValues<typeof cacheOptions>,
  zones: readonly DnsName[],
): CacheSettings['disabled'] => {
  const disabled: Record<CacheType, DnsName[]> = { success: [], denial: [] }
  for (const { arguments: words } of disable) {
    const type = reader.choice(words[0]!, ['success', 'denial'])
    disabled[type].push(...reader.zones(words.slice(1), zones))
  }
  return disabled
}
