/**
 * Where an alias of the cluster leads to outside of its zones (Kubernetes DNS specification 1.1 §2.5).
 *
 * Promised: the RCODE is that of the chain's end (RFC 6604); a failure on the way is a failure, never "no address".
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import type { Next } from '../next.ts'
import type { Query } from '../query.ts'
import { type Answer, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

/** Asks this server itself, by its whole chain: caches, forwards and stub zones hold for targets too. */
export const resolveTarget = (
  resolveInternally: Next,
  query: Query,
  target: DnsName,
  chain: readonly ResourceRecord[],
): MaybePromise<Answer> => {
  const question = questionFor(query, target)
  if (!question) return failedTarget(chain, 'the chain of aliases is too long')
  return whenKnown(resolveInternally(question), verdict => joinAnswer(chain, verdict))
}

const joinAnswer = (chain: readonly ResourceRecord[], verdict: Verdict): Answer => {
  if (verdict.verdict !== 'answered') return failedTarget(chain, 'no plugin answers for the alias’s target')
  const { rcode, answers, authority, truncated, extendedErrors } = verdict.answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) {
    return failedTarget(chain, `the alias’s target got ${rcodeName(rcode)}`, extendedErrors)
  }
  // RFC 6604 §3: the end's RCODE; RFC 2308 §2: and its SOA, so that a negative end can be kept.
  const soa = authority.filter(({ type }) => type === recordTypes.SOA)
  return {
    ...emptyAnswer(rcode, { authoritative: true, answers: [...chain, ...answers] }),
    authority: soa,
    truncated,
    ...(extendedErrors && { extendedErrors }),
  }
}

export const failedTarget = (
  chain: readonly ResourceRecord[],
  text: string,
  extendedErrors: readonly ExtendedError[] = [],
): Answer =>
  emptyAnswer(rcodes.SERVFAIL, {
    answers: chain,
    extendedErrors: [...extendedErrors, { code: extendedErrorCodes.OTHER, text }],
  })
