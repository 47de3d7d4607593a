/** One policy on one request with one parameter: what its expressions decide, and what they would note. */
import type { CompiledPolicy } from '#cluster/api/admission-registration/compiled-policy.ts'
import { MATCH_CONDITIONS_LIMIT, OBJECT_LIMIT } from '#cluster/api/cel/compile.ts'
import type { ApiObject, ObjectMeta } from '#cluster/api/object.ts'
import { type ConditionsMeasure, judgeConditions } from './conditions.ts'
import { Evaluator, jsonValue, type Subject, type Values } from './evaluation.ts'
import type { Policy } from './policies.ts'

export interface Denial {
  readonly message: string
  /** metav1.StatusReason; absent: an expression failed. */
  readonly reason: string | undefined
  /** Which validation; undefined: none. */
  readonly index: number | undefined
}

export interface PolicyResult {
  readonly denials: readonly Denial[]
  /** Values by key. */
  readonly annotations: Readonly<Record<string, string>>
}

/** Bytes: Kubernetes's bound on a message that an expression gives. */
const MAX_MESSAGE = 5 * 1024
/** Bytes of an annotation. */
const MAX_ANNOTATION = 10 * 1024

const SHOWN = [
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
] as const satisfies readonly (keyof ObjectMeta)[]

/** Of a Namespace, what expressions may see. */
const shownNamespace = ({ metadata, spec, status }: ApiObject): Record<string, unknown> => ({
  metadata: Object.fromEntries(SHOWN.filter(key => metadata[key] !== undefined).map(key => [key, metadata[key]])),
  ...(spec === undefined ? {} : { spec }),
  ...(status === undefined ? {} : { status }),
})

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

class PolicyRun {
  readonly #policy: Policy
  readonly #evaluator: Evaluator
  readonly #values: Values

  constructor(policy: Policy, subject: Subject, more: Values) {
    this.#policy = policy
    this.#evaluator = new Evaluator(subject, OBJECT_LIMIT)
    this.#values = this.#evaluator.withVariables(policy.compiled.variables, more)
  }

  async denials(): Promise<Denial[]> {
    const denials: Denial[] = []
    for (const [index, check] of this.#policy.compiled.validations.entries()) {
      const { validation, program } = check
      const { outcome, exceeded } = await this.#evaluator.run(program, this.#values)
      if (exceeded) return [...denials, ...this.#failed(OUT_OF_BUDGET, index)]
      if (!outcome.ok) {
        const { expression = '' } = validation
        denials.push(...this.#failed(`expression '${expression}' resulted in error: ${outcome.problem}`, index))
      } else if (outcome.value !== true)
        denials.push({ message: await this.#message(check), reason: validation.reason ?? 'Invalid', index })
    }
    return denials
  }

  async annotations(): Promise<{ annotations: Record<string, string>; denials: Denial[] }> {
    const annotations: Record<string, string> = {}
    const denials: Denial[] = []
    for (const { key, expression, program } of this.#policy.compiled.annotations) {
      const { outcome } = await this.#evaluator.run(program, this.#values)
      if (!outcome.ok)
        denials.push(...this.#failed(`expression '${expression}' resulted in error: ${outcome.problem}`, undefined))
      else if (typeof outcome.value === 'string' && outcome.value.trim() !== '')
        annotations[key] = outcome.value.trim().slice(0, MAX_ANNOTATION)
    }
    return { annotations, denials }
  }

  #failed(message: string, index: number | undefined): Denial[] {
    return this.#policy.spec.failurePolicy === 'Ignore' ? [] : [{ message, reason: undefined, index }]
  }

  async #message({ validation, message }: CompiledPolicy['validations'][number]): Promise<string> {
    const { expression = '', message: said = '' } = validation
    if (message) {
      const { outcome } = await this.#evaluator.run(message, this.#values)
      const text = outcome.ok && typeof outcome.value === 'string' ? outcome.value.trim() : ''
      if (text !== '' && Buffer.byteLength(text) <= MAX_MESSAGE && !text.includes('\n')) return text
    }
    return said.trim() === '' ? `failed expression: ${expression.trim()}` : said.trim()
  }
}

export interface PolicySubject {
  readonly subject: Subject
  readonly param: ApiObject | undefined
  readonly namespace: ApiObject | undefined
}

export const evaluatePolicy = async (
  measure: ConditionsMeasure,
  policy: Policy,
  { subject, param, namespace }: PolicySubject,
): Promise<PolicyResult> => {
  const { spec, compiled, name } = policy
  const more: Values = {
    params: param ? jsonValue(param) : null,
    namespaceObject: namespace ? jsonValue(shownNamespace(namespace)) : null,
  }
  const conditions = new Evaluator(subject, MATCH_CONDITIONS_LIMIT, more)
  const owner = { name, kind: 'policy', type: 'validating', failurePolicy: spec.failurePolicy } as const
  const verdict = await judgeConditions(
    measure,
    subject.request,
    { ...owner, conditions: compiled.conditions },
    { evaluator: conditions },
  )
  if (verdict === 'excluded') return { denials: [], annotations: {} }
  if (verdict !== 'asked')
    return { denials: [{ message: verdict.problem, reason: undefined, index: undefined }], annotations: {} }
  const run = new PolicyRun(policy, subject, more)
  const denials = await run.denials()
  const noted = await run.annotations()
  return { denials: [...denials, ...noted.denials], annotations: noted.annotations }
}
