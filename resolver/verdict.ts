/**
 * What a plugin concluded. A verdict is a value that names the conclusion; no code secretly means something else.
 */
import type { MemoTerms } from './memo-terms.ts'
import type { EdnsOption, ExtendedError } from './wire/edns.ts'
import type { ResourceRecord } from './wire/record.ts'

/** An answer before it is bytes. Header id, question, CD and OPT are added by `wire/`, not here. */
export interface Answer {
  readonly rcode: number
  /** AA: from data of our own (RFC 1035 §4.1.1). */
  readonly authoritative: boolean
  /** RA, as the upstream said it; false for data of our own. */
  readonly recursionAvailable: boolean
  readonly authenticData: boolean
  /** RD, where it is not to be the query's (RFC 1035 §4.1.1: copied); the `header` plugin sets it. */
  readonly recursionDesired?: boolean
  /** TC as an upstream said it. Our own truncation happens in `wire/`, when the client's size is known. */
  readonly truncated: boolean
  readonly answers: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  /** Without OPT. */
  readonly additional: readonly ResourceRecord[]
  readonly extendedErrors?: readonly ExtendedError[]
  /** Further EDNS options to send, only to clients that sent OPT. */
  readonly ednsOptions?: readonly EdnsOption[]
}

export type Verdict =
  /** The plugin answers; `by` is its name, for metrics and logs. */
  | {
      readonly verdict: 'answered'
      readonly answer: Answer
      readonly by: string
      /** Allows the answer to be given again, and says how long. Whoever changes the answer takes it away or mends it. */
      readonly memo?: () => MemoTerms | undefined
    }
  /** A whole zone, record by record (RFC 5936): begins and ends with its SOA. For transports that carry a stream. */
  | { readonly verdict: 'transferred'; readonly records: Iterable<ResourceRecord>; readonly by: string }
  /** Silence is the answer (acl drop). */
  | { readonly verdict: 'dropped'; readonly by: string }
  /** No plugin was left to answer. `resolve.ts` turns it into SERVFAIL. */
  | { readonly verdict: 'unhandled' }

export const answered = (by: string, answer: Answer, memo?: () => MemoTerms | undefined): Verdict =>
  memo ? { verdict: 'answered', answer, by, memo } : { verdict: 'answered', answer, by }
export const unhandled: Verdict = { verdict: 'unhandled' }

/** An answer with empty sections. */
export const emptyAnswer = (rcode: number, fields: Partial<Answer> = {}): Answer => ({
  rcode,
  authoritative: false,
  recursionAvailable: false,
  authenticData: false,
  truncated: false,
  answers: [],
  authority: [],
  additional: [],
  ...fields,
})
