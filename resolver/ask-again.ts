/** Questions that this server asks on a client's behalf: what another name has, where a name leads. */
import type { Query } from './query.ts'
import { encodeQuery } from './wire/encode.ts'
import { canonicalName } from './wire/name.ts'
import type { DnsName } from './wire/record.ts'

/** Questions that one question may lead to, one after the other. */
const DEPTH_LIMIT = 10

/**
 * The client's question with another name, and another type where given. RD is set: it is this server that wants the
 * whole answer. Undefined: too many questions have led here.
 */
export const questionFor = (query: Query, name: DnsName, type: number = query.question.type): Query | undefined => {
  const { id, question, checkingDisabled, edns } = query
  const depth = (query.depth ?? 0) + 1
  if (depth > DEPTH_LIMIT) return undefined
  const options = { id, name, type, class: question.class, recursionDesired: true, checkingDisabled }
  return {
    ...query,
    question: { ...question, name, canonicalName: canonicalName(name), type },
    recursionDesired: true,
    packet: encodeQuery({ ...options, edns: edns && { ...edns, options: [] } }),
    depth,
  }
}
