/** What the rules of a definition may cost at worst, one by one and together: Kubernetes's limits in its words. */
import { type FieldError, fieldForbidden } from '../field-error.ts'

/** In cel-go's unit: of one expression, as often as it may run on one object. */
const RULE_LIMIT = 10_000_000
/** Of all of them. */
const SCHEMA_LIMIT = 100_000_000
/** So many of the dearest are named, of those that make up a hundredth of the limit. */
const NAMED = 4

/** `whole`: only of all together, as where the schema has been taken before. */
export type CostLimits = 'each' | 'whole'

const ADVICE =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

/** Go rounds a half to the even digit. */
const tenths = (factor: number): string => (factor % 1 === 0.25 ? factor - 0.05 : factor).toFixed(1)

const factorOf = (cost: number, limit: number): string => {
  const factor = cost / limit
  if (factor > 100) return 'more than 100x'
  return `${factor < 1.5 ? factor.toFixed(6) : tenths(factor)}x`
}

const exceeded = (name: string, cost: number, limit: number): string =>
  `${name} exceeds budget by factor of ${factorOf(cost, limit)} ${ADVICE}`

interface RuleCost {
  readonly path: string
  readonly cost: number
}

export class RuleCosts {
  readonly #limits: CostLimits
  #total = 0
  #dearest: readonly RuleCost[] = []

  constructor(limits: CostLimits) {
    this.#limits = limits
  }

  /** `cost`: of the expression of that kind at `path`, on one object. */
  judge(path: string, kind: 'rule' | 'messageExpression', cost: number): FieldError[] {
    this.#total += cost
    if (cost >= SCHEMA_LIMIT / 100) {
      this.#dearest = [...this.#dearest, { path, cost }].sort((a, b) => b.cost - a.cost).slice(0, NAMED)
    }
    if (this.#limits === 'whole' || cost <= RULE_LIMIT) return []
    return [fieldForbidden(path, exceeded(`estimated ${kind} cost`, cost, RULE_LIMIT))]
  }

  /** `path`: of the schema. */
  judgeAll(path: string): FieldError[] {
    if (this.#total <= SCHEMA_LIMIT) return []
    const detail = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [
      ...this.#dearest.map(rule => fieldForbidden(rule.path, detail)),
      fieldForbidden(path, exceeded(name, this.#total, SCHEMA_LIMIT)),
    ]
  }
}
