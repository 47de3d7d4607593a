/** Whether an answer may be kept, as what, and for how long (RFC 2308, RFC 2181 §8). */
import type { Question } from '../query.ts'
import type { Answer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
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
  /** For how long failures of upstreams are kept, seconds; 0: not at all. */
  readonly failure: number
}

export type Lifetime =
  | { readonly keep: true; readonly type: CacheType; readonly seconds: number; readonly failure: boolean }
  /** `mismatch`: it does not answer the question. */
  | { readonly keep: false; readonly mismatch: boolean }

const discard: Lifetime = { keep: false, mismatch: false }

export const lifetimeOf = (answer: Answer, question: Question, rules: LifetimeRules): Lifetime => {
  // RFC 2181 §9: what was cut off is not kept.
  if (answer.truncated) return discard
  if (answer.rcode === rcodes.SERVFAIL || answer.rcode === rcodes.NOTIMP) return failed(rules.failure)
  if (answer.rcode === rcodes.NXDOMAIN) return denied(answer, rules.denial)
  if (answer.rcode !== rcodes.NOERROR) return discard
  if (answer.answers.length === 0) return denied(answer, rules.denial)
  if (!answer.answers.some(({ name }) => canonicalName(name) === question.canonicalName))
    return { keep: false, mismatch: true }
  // A CNAME that leads to nothing is as negative as its end (RFC 2308 §2.2), for as long as both hold.
  if (answer.authority.some(isSoa) && !answer.answers.some(({ type }) => type === question.type))
    return denied(answer, rules.denial)
  const records = [...answer.answers, ...answer.authority, ...answer.additional]
  return kept('success', leastTtl(records), rules.success)
}

/** RFC 2308 §5: for the lesser of the SOA's own TTL and its MINIMUM; without a SOA not at all. */
const denied = (answer: Answer, bounds: TtlBounds): Lifetime => {
  const soa = answer.authority.find(isSoa)
  if (!soa) return discard
  return kept('denial', Math.min(soaData.decode(soa.data).minimum, leastTtl([soa, ...answer.answers])), bounds)
}

const kept = (type: CacheType, ttl: number, { minimum, maximum }: TtlBounds): Lifetime => {
  // RFC 1035 §3.2.1: a TTL of zero is for the transaction in progress only.
  if (ttl === 0 || maximum === 0) return discard
  return { keep: true, type, seconds: clampTtl(ttl, { minimum, maximum }), failure: false }
}

/** RFC 2308 §7.1: a failure may be kept for up to five minutes. */
const failed = (seconds: number): Lifetime =>
  seconds === 0 ? discard : { keep: true, type: 'denial', seconds, failure: true }

const isSoa = ({ type }: ResourceRecord): boolean => type === recordTypes.SOA

const leastTtl = (records: readonly ResourceRecord[]): number =>
  records.reduce((least, { ttl }) => Math.min(least, ttl), Number.POSITIVE_INFINITY)

export const clampTtl = (ttl: number, { minimum, maximum }: TtlBounds): number =>
  Math.min(Math.max(ttl, minimum), maximum)

/** The answer with each TTL made anew. */
export const withTtls = (answer: Answer, change: (ttl: number) => number): Answer => {
  const changed = (records: readonly ResourceRecord[]) =>
    records.map(record => ({ ...record, ttl: change(record.ttl) }))
  return {
    ...answer,
    answers: changed(answer.answers),
    authority: changed(answer.authority),
    additional: changed(answer.additional),
  }
}
