/** When an indexed Job has succeeded before all of its indexes have (KEP-3998). */
import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong, fieldTooMany } from '../field-error.ts'
import { notNegative } from '../number-rules.ts'

interface SuccessRule {
  succeededIndexes?: string
  succeededCount?: number
}

export interface SuccessPolicy {
  rules?: SuccessRule[]
}

const MAX_RULES = 20
const MAX_INDEXES = 64 * 1024

const INTEGER = /^[+-]?\d+$/

/** `count`: indexes named; 0 where there is a problem. */
interface Indexes {
  readonly count: number
  readonly problem?: string
}

const problem = (text: string): Indexes => ({ count: 0, problem: text })

/** `1,3-5,7`: in order, none twice, all below `completions`. */
const readIndexes = (text: string, completions: number): Indexes => {
  let [count, last] = [0, Number.NEGATIVE_INFINITY]
  for (const part of text === '' ? [] : text.split(',')) {
    const ends = part.split('-')
    if (ends.length > 2)
      return problem(
        `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      )
    for (const end of ends) {
      if (!INTEGER.test(end)) return problem(`cannot convert string to integer for index: ${JSON.stringify(end)}`)
      if (Number(end) >= completions) return problem(`too large index: ${JSON.stringify(end)}`)
    }
    const [from = 0, to = from] = ends.map(Number)
    if (ends.length > 1 && from >= to) return problem(`non-increasing order, previous: ${from}, current: ${to}`)
    if (last >= from) return problem(`non-increasing order, previous: ${last}, current: ${from}`)
    count += to - from + 1
    last = to
  }
  return { count }
}

const validateRule = (rule: SuccessRule, at: string, completions: number): FieldError[] => {
  const { succeededIndexes: indexes, succeededCount: count } = rule
  if (indexes === undefined && count === undefined)
    return [fieldRequired(at, 'at least one of succeededCount or succeededIndexes must be specified')]
  const errors: FieldError[] = []
  const read = readIndexes(indexes ?? '', completions)
  if (indexes !== undefined && Buffer.byteLength(indexes) > MAX_INDEXES)
    errors.push(fieldTooLong(`${at}.succeededIndexes`, MAX_INDEXES))
  if (read.problem !== undefined)
    errors.push(fieldInvalid(`${at}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${read.problem}`))
  if (count === undefined) return errors
  const field = `${at}.succeededCount`
  const tooMany = (limit: number, what: string) =>
    fieldInvalid(field, count, `must be less than or equal to ${limit} (${what})`)
  errors.push(...notNegative(field, count))
  if (count > completions) errors.push(tooMany(completions, 'the number of specified completions'))
  if (indexes !== undefined && count > read.count)
    errors.push(tooMany(read.count, 'the number of indexes in the specified succeededIndexes field'))
  return errors
}

/** `completions`: of the Job, which is indexed. */
export const validateSuccessPolicy = ({ rules = [] }: SuccessPolicy, at: string, completions: number): FieldError[] => {
  const errors: FieldError[] = []
  if (rules.length === 0)
    errors.push(
      fieldRequired(`${at}.rules`, 'at least one rules must be specified when the successPolicy is specified'),
    )
  if (rules.length > MAX_RULES) errors.push(fieldTooMany(`${at}.rules`, rules.length, MAX_RULES))
  return [...errors, ...rules.flatMap((rule, index) => validateRule(rule, `${at}.rules[${index}]`, completions))]
}

/** As an error tells it: Kubernetes prints its own struct there. */
export const printedPolicy = ({ rules = [] }: SuccessPolicy): unknown => ({
  Rules: rules.map(({ succeededIndexes = null, succeededCount = null }) => ({
    SucceededIndexes: succeededIndexes,
    SucceededCount: succeededCount,
  })),
})
