/** Whether an answer may be kept, as what, and for how long (RFC 2308, RFC 2181 §8). */
import type { Question } from '../query.ts'
import type { Answer } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { ResourceRecord } from '../wire/record.ts'

export type CacheType = 'success' | 'denial'

/** Seconds. */
export interface TtlBounds {
  readonly minimum: number
  readonly maximum: number
}

export interface LifetimeRules {
  readonly success: TtlBounds
  readonly denial: TtlBounds
  /** For how long denials without SOA are kept, seconds; 0: not at all. */
  readonly denialWithoutSoa: number
}

export type Lifetime =
  /** `positive`: it has a record of the type that was asked for. */
  | { readonly verdict: 'kept'; readonly type: CacheType; readonly seconds: number; readonly positive: boolean }
  /** The upstream has no answer. `told`: whether others may be told so from memory. */
  | { readonly verdict: 'failed'; readonly told: boolean }
  /** Nobody was asked, for want of room or sockets here: it says nothing of the name, and is of the moment. */
  | { readonly verdict: 'unasked' }
  /** It does not answer the question. */
  | { readonly verdict: 'mismatched' }
  /** An answer for this client alone. */
  | { readonly verdict: 'passed' }

const passed: Lifetime = { verdict: 'passed' }
const unasked: Lifetime = { verdict: 'unasked' }

export const lifetimeOf = (answer: Answer, question: Question, rules: LifetimeRules): Lifetime => {
  const { rcode, answers, authority } = answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) {
    if (isOwnTrouble(answer)) return unasked
    // RFC 2308 §7, RFC 9520 §2.2. REFUSED and others may be for this client or this moment alone.
    return { verdict: 'failed', told: rcode === rcodes.SERVFAIL || rcode === rcodes.NOTIMP }
  }
  // RFC 2181 §9: what was cut off is not kept.
  if (answer.truncated) return passed
  if (rcode === rcodes.NXDOMAIN || answers.length === 0) return denied(answer, rules)
  if (!isAbout(answers, question)) return { verdict: 'mismatched' }
  const positive = isPositive(answer, question)
  // A CNAME that leads to nothing is as negative as its end (RFC 2308 §2.2), for as long as both hold.
  if (!positive && authority.some(isSoa)) return denied(answer, rules)
  const ttl = Math.min(leastTtl(answers), leastTtl(authority), leastTtl(answer.additional))
  return kept('success', ttl, rules.success, positive)
}

const isAbout = (answers: readonly ResourceRecord[], { canonicalName: asked }: Question): boolean => {
  for (const { name } of answers) if (name === asked || canonicalName(name) === asked) return true
  return false
}

/** Whether it has a record of the type that was asked for. */
export const isPositive = ({ rcode, answers }: Answer, { type: asked }: Question): boolean =>
  rcode === rcodes.NOERROR && answers.some(({ type }) => type === asked || asked === recordTypes.ANY)

/** This machine's (too much is under way, or it is out of sockets), which `forward` tells by no other code (RFC 8914 §4.1). */
const isOwnTrouble = ({ extendedErrors = [] }: Answer): boolean =>
  extendedErrors.length > 0 && extendedErrors.every(({ code }) => code === extendedErrorCodes.OTHER)

/** RFC 2308 §5: for the lesser of the SOA's own TTL and its MINIMUM; without a SOA not at all, unless told otherwise. */
const denied = (answer: Answer, { denial, denialWithoutSoa }: LifetimeRules): Lifetime => {
  const soa = answer.authority.find(isSoa)
  if (!soa) return kept('denial', denialWithoutSoa, { minimum: 0, maximum: denialWithoutSoa }, false)
  return kept('denial', Math.min(soaData.decode(soa.data).minimum, soa.ttl, leastTtl(answer.answers)), denial, false)
}

const kept = (type: CacheType, ttl: number, { minimum, maximum }: TtlBounds, positive: boolean): Lifetime => {
  // RFC 1035 §3.2.1: a TTL of zero is for the transaction in progress only.
  if (ttl === 0 || maximum === 0) return passed
  return { verdict: 'kept', type, seconds: clampTtl(ttl, { minimum, maximum }), positive }
}

const isSoa = ({ type }: ResourceRecord): boolean => type === recordTypes.SOA

const leastTtl = (records: readonly ResourceRecord[]): number => {
  let least = Number.POSITIVE_INFINITY
  for (const { ttl } of records) if (ttl < least) least = ttl
  return least
}

export const clampTtl = (ttl: number, { minimum, maximum }: TtlBounds): number =>
  Math.min(Math.max(ttl, minimum), maximum)

/** The answer with each TTL made anew; the same where none changes. */
export const withTtls = (answer: Answer, change: (ttl: number) => number): Answer => {
  const answers = recordsWithTtls(answer.answers, change)
  const authority = recordsWithTtls(answer.authority, change)
  const additional = recordsWithTtls(answer.additional, change)
  const isSame = answers === answer.answers && authority === answer.authority && additional === answer.additional
  return isSame ? answer : { ...answer, answers, authority, additional }
}

const recordsWithTtls = (
  records: readonly ResourceRecord[],
  change: (ttl: number) => number,
): readonly ResourceRecord[] => {
  for (const { ttl } of records)
    if (change(ttl) !== ttl) return records.map(record => ({ ...record, ttl: change(record.ttl) }))
  return records
}
