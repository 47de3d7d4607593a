/** Answers without records: NODATA, NXDOMAIN (RFC 2308), and SERVFAIL while nobody can know yet. */
import type { Query } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import type { ResourceRecord } from '../wire/record.ts'
import type { Reason } from './node.ts'

/** What stands before a negative end: the CNAMEs that led there. */
type Chain = readonly ResourceRecord[]

const because = (query: Query, reason: Reason | undefined): { extendedErrors?: readonly ExtendedError[] } =>
  // Without OPT there is nowhere to say it.
  reason && query.edns ? { extendedErrors: [{ code: extendedErrorCodes.OTHER, text: reason() }] } : {}

/** The name exists, records of this type do not. */
export const noData = (query: Query, soa: ResourceRecord, reason?: Reason, chain: Chain = []): Answer =>
  emptyAnswer(rcodes.NOERROR, {
    authoritative: true,
    answers: chain,
    authority: [soa],
    ...because(query, reason),
  })

/** Nothing has this name. With a chain: RFC 6604 §3, the RCODE is that of the chain's end. */
export const noName = (query: Query, soa: ResourceRecord, reason?: Reason, chain: Chain = []): Answer =>
  emptyAnswer(rcodes.NXDOMAIN, {
    authoritative: true,
    answers: chain,
    authority: [soa],
    ...because(query, reason),
  })

/** Before the first lists are complete "there is none" would often be a guess, and resolvers would keep it. */
export const notReady = (): Answer =>
  emptyAnswer(rcodes.SERVFAIL, {
    extendedErrors: [
      { code: extendedErrorCodes.NOT_READY, text: 'the lists of the cluster are not complete yet: ask again' },
    ],
  })

/** A watch is down, and whether the apiserver has heard of such a name meanwhile cannot be found out now. */
export const outOfTouch = (): Answer =>
  emptyAnswer(rcodes.SERVFAIL, {
    extendedErrors: [
      {
        code: extendedErrorCodes.NOT_READY,
        text: 'not known, and the apiserver is out of reach: it may be new, ask again',
      },
    ],
  })
