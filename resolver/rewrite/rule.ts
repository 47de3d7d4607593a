/** A rewriting rule: what it makes of a question, and then of its answer. */
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import type { Next } from '../next.ts'
import type { Query } from '../query.ts'
import type { Answer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { MetadataRewriter, NameRewriter } from './name-pattern.ts'
import { type Renaming, renameAnswer } from './rename-answer.ts'

export interface Rewritten {
  readonly query: Query
  readonly restore?: (answer: Answer) => MaybePromise<Answer>
}

/** Undefined: the rule is not about this question. */
export type Rule = (query: Query, resolveInternally: Next) => Rewritten | undefined

/** Only the question's fields change: what a client sent stays what it sent. */
const requestion = (query: Query, fields: Partial<Query['question']>): Query => ({
  ...query,
  question: { ...query.question, ...fields },
})

export const nameRule =
  (rewrite: MetadataRewriter, renaming: Renaming): Rule =>
  query => {
    const { name: asked, canonicalName: canonical } = query.question
    const name = rewrite(canonical, query.metadata)
    if (name === undefined) return undefined
    return {
      query: requestion(query, { name, canonicalName: name }),
      restore: answer => renameAnswer(answer, renaming, asked, name),
    }
  }

export const typeRule =
  (from: number, to: number): Rule =>
  query =>
    query.question.type === from ? { query: requestion(query, { type: to }) } : undefined

export const classRule =
  (from: number, to: number): Rule =>
  query =>
    query.question.class === from ? { query: requestion(query, { class: to }) } : undefined

export interface TtlRange {
  readonly minimum: number
  readonly maximum: number
}

export const ttlRule =
  (matches: (name: DnsName) => boolean, { minimum, maximum }: TtlRange): Rule =>
  query => {
    if (!matches(query.question.canonicalName)) return undefined
    const bounded = (record: ResourceRecord): ResourceRecord => ({
      ...record,
      ttl: Math.min(Math.max(record.ttl, minimum), maximum),
    })
    return {
      query,
      restore: answer => ({
        ...answer,
        answers: answer.answers.map(bounded),
        authority: answer.authority.map(bounded),
        additional: answer.additional.map(bounded),
      }),
    }
  }

export const rcodeRule =
  (matches: (name: DnsName) => boolean, from: number, to: number): Rule =>
  query =>
    matches(query.question.canonicalName)
      ? { query, restore: answer => (answer.rcode === from ? { ...answer, rcode: to } : answer) }
      : undefined

/** A CNAME with another target leads to what that has: this server is asked for it. */
export const cnameRule =
  (rewrite: NameRewriter): Rule =>
  (query, resolveInternally) => ({
    query,
    restore: answer => {
      const at = answer.answers.findIndex(({ type }) => type === recordTypes.CNAME)
      const alias = answer.answers[at]
      const target = alias && rewrite(canonicalName(nameData.decode(alias.data)))
      if (!alias || target === undefined) return answer
      const chain = [...answer.answers.slice(0, at), { ...alias, data: nameData.encode(target) }]
      return query.question.type === recordTypes.CNAME
        ? { ...answer, answers: chain }
        : followTarget(query, target, { ...answer, answers: chain }, resolveInternally)
    },
  })

const followTarget = async (
  query: Query,
  target: DnsName,
  answer: Answer,
  resolveInternally: Next,
): Promise<Answer> => {
  const question = questionFor(query, target)
  const verdict = question && (await resolveInternally(question))
  // A name that nobody here is for: the alias is what is known.
  if (verdict?.verdict !== 'answered' || verdict.answer.rcode === rcodes.REFUSED) return answer
  return { ...verdict.answer, answers: [...answer.answers, ...verdict.answer.answers] }
}
