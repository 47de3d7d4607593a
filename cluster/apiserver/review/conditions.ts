/** Match conditions of a webhook or a policy: whether it is asked at all. */
import type { Program } from '#cluster/api/cel/compile.ts'
import type { Clock } from '#lib/clock.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { AdmissionMetrics } from '../admission-metrics.ts'
import type { Evaluator, Values } from './evaluation.ts'
import { operationOf } from './reviewed.ts'

export interface Condition {
  readonly name: string
  readonly expression: string
  readonly program: Program
}

export interface ConditionsOwner {
  readonly name: string
  readonly kind: 'webhook' | 'policy'
  readonly type: 'admit' | 'validating'
  readonly failurePolicy: string | undefined
  readonly conditions: readonly Condition[]
}

export interface ConditionsMeasure {
  readonly metrics: AdmissionMetrics
  readonly clock: Clock
}

export type Verdict = 'asked' | 'excluded' | { readonly problem: string }

/** One that does not hold decides, whatever is wrong with others. */
export const judgeConditions = async (
  { metrics, clock }: ConditionsMeasure,
  request: AdmissionRequest,
  { name, kind, type, failurePolicy, conditions }: ConditionsOwner,
  { evaluator, values }: { readonly evaluator: Evaluator; readonly values?: Values },
): Promise<Verdict> => {
  if (conditions.length === 0) return 'asked'
  const labels = { name, kind, type, operation: operationOf(request) }
  const start = clock.monotonic()
  const problems: string[] = []
  for (const { expression, program } of conditions) {
    const { outcome } = await evaluator.run(program, values)
    if (!outcome.ok) {
      metrics.families.conditionErrors.inc(labels)
      problems.push(`expression '${expression.trim()}' resulted in error: ${outcome.problem}`)
    } else if (outcome.value === false) {
      metrics.families.conditionExclusions.inc(labels)
      return 'excluded'
    }
  }
  metrics.families.conditions.observe(labels, (clock.monotonic() - start) / 1000)
  if (problems.length === 0) return 'asked'
  if (failurePolicy === 'Ignore') return 'excluded'
  return { problem: problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]` }
}
