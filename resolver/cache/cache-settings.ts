/** What a `cache` directive may say, as data, and how it is read. */
import type { Milliseconds } from '#lib/clock.ts'
import type { DirectiveReader, PropertyTable, PropertyValues } from '../corefile/directive-reader.ts'
import type { Directive, Property, Word } from '../corefile/syntax.ts'
import type { DnsName } from '../wire/record.ts'
import { type FailureRules, LONGEST_FAILURE, SHORTEST_FAILURE } from './failure-memory.ts'
import type { CacheType, LifetimeRules } from './lifetime.ts'

const sizing = 'CAPACITY [TTL [MINTTL]]'

export const cacheOptions = {
  success: {
    kind: 'words',
    syntax: sizing,
    minimum: 1,
    maximum: 3,
    absent: '9984 3600 5',
    doc: 'entries (1024 at least, whatever is written; 10000000 at most) and the bounds of TTLs in seconds for names that exist',
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
    doc: 'ask again before the end (10% to 90% of the TTL left; default 10%) for names with AMOUNT queries (up to 1000000; 0: off) and no gap of DURATION (default 1m) between them',
  },
  serve_stale: {
    kind: 'words',
    syntax: 'off|[DURATION] [immediate|verify [TIMEOUT]] [RESPONSE_TTL [FAILURE_RECHECK]]',
    minimum: 0,
    maximum: 5,
    absent: '24h verify 1800ms 30s 30s',
    doc: 'answer with what ended up to DURATION (0s to 168h; 1h where only the mode is given) ago: at once, asking anew behind it, or when no upstream answers in TIMEOUT (0s to 10s; 0: as long as it takes), with a TTL of RESPONSE_TTL (0s to 1h), asking upstreams that failed again after FAILURE_RECHECK (0s to 5m; RFC 8767 §5)',
  },
  serve_stale_policy: {
    kind: 'words',
    syntax: 'prefer_positive',
    minimum: 1,
    maximum: 1,
    absent: 'what the upstream said last',
    doc: 'keep answering with what existed when the upstream denies it now, as long as it may be served stale',
  },
  servfail: {
    kind: 'words',
    syntax: 'DURATION [MAXIMUM]',
    minimum: 1,
    maximum: 2,
    absent: '5s 30s',
    doc: 'how long a failure of the upstreams is remembered (1s to 5m; 0: not at all), doubled for each failure in a row up to MAXIMUM (RFC 9520 §3.2)',
  },
  negative_ttl: {
    kind: 'number',
    syntax: 'SECONDS',
    default: 0,
    minimum: 0,
    maximum: 86_400,
    unit: 'seconds',
    doc: 'how long denials without SOA are kept (dnsmasq’s neg-ttl); 0: not at all, as RFC 2308 §5 wants it',
  },
  memory: {
    kind: 'words',
    syntax: 'SIZE',
    minimum: 1,
    maximum: 1,
    absent:
      '768 bytes for each entry that there is room for: 22 MiB; an eighth of the container’s limit where that is less',
    doc: 'the most that the cache takes (1M to 64G; K, M, G are powers of 1024), whatever the size of the answers',
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
  /** How long a client waits for the upstream in mode `verify`. */
  readonly timeout: Milliseconds
  /** TTL of stale answers, seconds. */
  readonly ttl: number
  /** From a failure to the next question to the upstream. */
  readonly recheck: Milliseconds
  readonly policy: 'prefer_latest' | 'prefer_positive'
}

export interface CacheSettings {
  readonly zones: readonly DnsName[]
  readonly capacity: Readonly<Record<CacheType, number>>
  /** Bytes. */
  readonly memory: number
  readonly rules: LifetimeRules
  readonly failure: FailureRules
  readonly prefetch: Prefetch
  readonly serveStale: ServeStale
  readonly disabled: Readonly<Record<CacheType, readonly DnsName[]>>
  readonly keepTtl: boolean
}

/** CoreDNS's: 256 shards of 39 entries. */
const DEFAULT_CAPACITY = 9984
/** CoreDNS's: 256 shards of 4; it takes smaller numbers, and has these. */
const SMALLEST_CAPACITY = 1024
const DEFAULT_MINIMUM_TTL = 5
/**
 * What an answer of ordinary size takes with all that belongs to it (a name of 40 bytes, a message of 200) is 640 bytes:
 * so it is CAPACITY that bounds the cache, and the bytes only where answers are unusually long. 22 MiB by default, an
 * eighth of the 170 MiB that kubeadm gives the server.
 */
const BYTES_PER_ENTRY = 768
/** Of a container's limit, unless `memory` says otherwise: more than that kills the program before it fills the cache. */
const LARGEST_SHARE = 1 / 8

/** RFC 8767 §5: "a maximum stale timer of 1 to 3 days", a client response timer of 1.8 s, a failure recheck timer of 30 s. */
const STALE_DURATION: Milliseconds = 86_400_000
const STALE_TIMEOUT: Milliseconds = 1800
const STALE_RECHECK: Milliseconds = 30_000
/** RFC 8767 §4: "30 seconds is RECOMMENDED". */
const STALE_TTL = 30
/** As often as RFC 8767's recheck: an upstream that is back is noticed in this time. */
const FAILURE_MAXIMUM: Milliseconds = 30_000
const ttlBounds = { minimum: 0, maximum: 86_400, unit: 'seconds' }

export interface CacheSurroundings {
  /** Of the server block. */
  readonly zones: readonly DnsName[]
  /** Bytes of the container; absent: no limit is known. */
  readonly memoryLimit?: number | undefined
}

export const readCacheSettings = (
  reader: DirectiveReader,
  directive: Directive,
  { zones: blockZones, memoryLimit = Number.POSITIVE_INFINITY }: CacheSurroundings,
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
    memory:
      readMemory(reader, values.memory[0]) ??
      Math.min(standardMemory(success.capacity, denial.capacity), Math.floor(memoryLimit * LARGEST_SHARE)),
    rules: { success: success.ttl, denial: denial.ttl, denialWithoutSoa: values.negative_ttl },
    failure: readFailure(reader, values.servfail[0]?.arguments ?? []),
    prefetch: readPrefetch(reader, values.prefetch[0]?.arguments ?? []),
    serveStale: readServeStale(reader, values.serve_stale[0], values.serve_stale_policy[0]),
    disabled: readDisabled(reader, values, zones),
    keepTtl: values.keepttl,
  }
}

const readSizing = (reader: DirectiveReader, properties: readonly Property[], cap: number) => {
  const [capacityWord, ttlWord, minimumWord] = properties[0]?.arguments ?? []
  const bounds = { minimum: 0, maximum: 10_000_000, unit: 'entries' }
  const capacity = capacityWord ? Math.max(SMALLEST_CAPACITY, reader.number(capacityWord, bounds)) : DEFAULT_CAPACITY
  const maximum = ttlWord ? reader.number(ttlWord, ttlBounds) : cap
  const minimum = minimumWord ? reader.number(minimumWord, ttlBounds) : DEFAULT_MINIMUM_TTL
  if (minimumWord && minimum > maximum) reader.refuse(minimumWord, `MINTTL ${minimum} is above TTL ${maximum}`)
  return { capacity, ttl: { maximum, minimum: Math.min(minimum, maximum) } }
}

const readPrefetch = (reader: DirectiveReader, [amount, gap, share]: readonly Word[]): Prefetch => ({
  amount: amount ? reader.number(amount, { minimum: 0, maximum: 1_000_000, unit: 'queries' }) : 0,
  gap: gap ? reader.duration(gap, { minimum: 1000, maximum: 86_400_000 }) : 60_000,
  share: share ? readPercentage(reader, share) : 0.1,
})

const readPercentage = (reader: DirectiveReader, word: Word): number => {
  const percent = /^(\d{1,2})%$/.exec(word.text)?.[1]
  if (percent !== undefined && Number(percent) >= 10 && Number(percent) <= 90) return Number(percent) / 100
  reader.refuse(word, `"${word.text}" is not a percentage (10% to 90%)`)
  return 0.1
}

const readServeStale = (
  reader: DirectiveReader,
  property: Property | undefined,
  policyProperty: Property | undefined,
): ServeStale => {
  const [policyWord] = policyProperty?.arguments ?? []
  const policy = policyWord ? reader.choice(policyWord, ['prefer_positive']) : 'prefer_latest'
  const standard = { timeout: STALE_TIMEOUT, ttl: STALE_TTL, recheck: STALE_RECHECK, policy } as const
  if (!property) return { ...standard, duration: STALE_DURATION, mode: 'verify' }
  const words = [...property.arguments]
  const durationWord = words[0] && /^(?:\d|off$)/.test(words[0].text) ? words.shift() : undefined
  const duration = durationWord ? readStaleDuration(reader, durationWord) : 3_600_000
  if (durationWord?.text === 'off' && words[0]) reader.refuse(words[0], `"${words[0].text}" is one word too many`)
  if (duration === 0 && policyWord) reader.refuse(policyWord, `"${policyWord.text}" needs serve_stale`)
  const modeWord = words.shift()
  const mode = modeWord ? reader.choice(modeWord, ['immediate', 'verify']) : 'immediate'
  const timeoutWord = mode === 'verify' ? words.shift() : undefined
  const timeout = timeoutWord ? reader.duration(timeoutWord, { minimum: 0, maximum: 10_000 }) : STALE_TIMEOUT
  const [ttlWord, recheckWord, surplus] = words
  if (surplus) reader.refuse(surplus, `"${surplus.text}" is one word too many`)
  const ttl = ttlWord ? Math.round(reader.duration(ttlWord, { minimum: 0, maximum: 3_600_000 }) / 1000) : STALE_TTL
  const recheck = recheckWord ? reader.duration(recheckWord, { minimum: 0, maximum: 300_000 }) : STALE_RECHECK
  return { ...standard, duration, mode, timeout: timeout || Number.POSITIVE_INFINITY, ttl, recheck }
}

const readStaleDuration = (reader: DirectiveReader, word: Word): Milliseconds =>
  word.text === 'off' ? 0 : reader.duration(word, { minimum: 0, maximum: 604_800_000 })

const readFailure = (reader: DirectiveReader, [initialWord, maximumWord]: readonly Word[]): FailureRules => {
  const bounds = { minimum: 0, maximum: LONGEST_FAILURE }
  const wanted = initialWord ? reader.duration(initialWord, bounds) : 5000
  const initial = wanted === 0 ? 0 : Math.max(wanted, SHORTEST_FAILURE)
  const maximum = maximumWord ? reader.duration(maximumWord, bounds) : Math.max(initial, FAILURE_MAXIMUM)
  if (maximumWord && maximum < initial)
    reader.refuse(maximumWord, `"${maximumWord.text}" is below ${initialWord!.text}`)
  return { initial, maximum }
}

const units: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** Whatever is kept may fail. */
const standardMemory = (success: number, denial: number): number =>
  (success + denial + Math.max(success, denial)) * BYTES_PER_ENTRY

const readMemory = (reader: DirectiveReader, property: Property | undefined): number | undefined => {
  const [word] = property?.arguments ?? []
  if (!word) return undefined
  const [, amount = '', unit = ''] = /^(\d{1,9})([kmg])(?:ib?)?$/i.exec(word.text) ?? []
  const bytes = Number(amount) * (units[unit.toLowerCase()] ?? 0)
  if (bytes >= units.m! && bytes <= 64 * units.g!) return bytes
  reader.refuse(word, `"${word.text}" is not a size (1M to 64G)`)
  return undefined
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
