/** What admission costs and refuses, by the names that Kubernetes gives it. */
import { Counter, Histogram, type HistogramSeries, type Registry } from '#lib/metrics.ts'

/** Seconds, as kube-apiserver's. */
const STEPS = [0.005, 0.025, 0.1, 0.5, 1, 2.5]
const CALLS = [...STEPS, 10, 25]
const CONDITIONS = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25]
const CHECKS = [0.0000005, 0.001, 0.01, 0.1, 1]

export type Phase = 'admit' | 'validate'

export type Verb = 'create' | 'update' | 'delete'
/** As Kubernetes calls the phases of webhooks. */
export type WebhookPhase = 'admit' | 'validating'

export interface WebhookCall {
  readonly name: string
  readonly type: WebhookPhase
  readonly operation: string
  readonly seconds: number
  /** Of the answer; 0 where there was none. */
  readonly code: number
  readonly rejected: boolean
  /** Why it was; only where it was. */
  readonly error?: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error'
}

const createFamilies = (registry: Registry) => {
  const registers = [registry]
  const condition = ['name', 'kind', 'type', 'operation'] as const
  const check = ['policy', 'policy_binding', 'error_type', 'enforcement_action'] as const
  return {
    steps: new Histogram({
      name: 'apiserver_admission_step_admission_duration_seconds',
      help: 'Time that all admission plugins took, by phase and operation.',
      labelNames: ['type', 'operation', 'rejected'],
      buckets: STEPS,
      registers,
    }),
    plugins: new Histogram({
      name: 'apiserver_admission_controller_admission_duration_seconds',
      help: 'Time that one admission plugin took, by phase and operation.',
      labelNames: ['name', 'type', 'operation', 'rejected'],
      buckets: STEPS,
      registers,
    }),
    webhooks: new Histogram({
      name: 'apiserver_admission_webhook_admission_duration_seconds',
      help: 'Time that one webhook took, by phase and operation.',
      labelNames: ['name', 'type', 'operation', 'rejected'],
      buckets: CALLS,
      registers,
    }),
    requests: new Counter({
      name: 'apiserver_admission_webhook_request_total',
      help: 'Calls of webhooks, by phase, operation and what came back.',
      labelNames: ['name', 'type', 'operation', 'code', 'rejected'],
      registers,
    }),
    rejections: new Counter({
      name: 'apiserver_admission_webhook_rejection_count',
      help: 'Requests that a webhook refused, or that failed because it could not be asked.',
      labelNames: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
      registers,
    }),
    failOpen: new Counter({
      name: 'apiserver_admission_webhook_fail_open_count',
      help: 'Failed calls of webhooks whose failurePolicy is Ignore.',
      labelNames: ['name', 'type'],
      registers,
    }),
    conditionErrors: new Counter({
      name: 'apiserver_admission_match_condition_evaluation_errors_total',
      help: 'Match conditions that failed.',
      labelNames: condition,
      registers,
    }),
    conditionExclusions: new Counter({
      name: 'apiserver_admission_match_condition_exclusions_total',
      help: 'Requests that a match condition kept from a webhook or a policy.',
      labelNames: condition,
      registers,
    }),
    conditions: new Histogram({
      name: 'apiserver_admission_match_condition_evaluation_seconds',
      help: 'Time that the match conditions of one webhook or policy took.',
      labelNames: condition,
      buckets: CONDITIONS,
      registers,
    }),
    checks: new Counter({
      name: 'apiserver_validating_admission_policy_check_total',
      help: 'Requests that a policy was asked about, by binding and what became of them.',
      labelNames: check,
      registers,
    }),
    checkDurations: new Histogram({
      name: 'apiserver_validating_admission_policy_check_duration_seconds',
      help: 'Time that the expressions of a policy took, by binding.',
      labelNames: check,
      buckets: CHECKS,
      registers,
    }),
  }
}

type SeriesByName = Map<string, HistogramSeries>

const seriesByVerb = (): Readonly<Record<Verb, SeriesByName>> => ({
  create: new Map(),
  update: new Map(),
  delete: new Map(),
})

const held = (series: SeriesByName, name: string, make: () => HistogramSeries): HistogramSeries => {
  const known = series.get(name)
  if (known) return known
  const made = make()
  series.set(name, made)
  return made
}

export class AdmissionMetrics {
  readonly families: ReturnType<typeof createFamilies>
  /** Of what passed, by phase, verb and name: a request is counted some thirty times. */
  readonly #passed = { admit: seriesByVerb(), validate: seriesByVerb() }

  constructor(registry: Registry) {
    this.families = createFamilies(registry)
  }

  step(type: Phase, { verb }: { readonly verb: Verb }, seconds: number, rejected: boolean): void {
    const labels = { type, operation: verb.toUpperCase(), rejected: String(rejected) }
    if (rejected) this.families.steps.observe(labels, seconds)
    else held(this.#passed[type][verb], '', () => this.families.steps.child(labels)).observe(seconds)
  }

  plugin(name: string, type: Phase, { verb }: { readonly verb: Verb }, seconds: number, rejected: boolean): void {
    const child = () =>
      this.families.plugins.child({ name, type, operation: verb.toUpperCase(), rejected: String(rejected) })
    const series = rejected ? child() : held(this.#passed[type][verb], name, child)
    series.observe(seconds)
  }

  webhook({ name, type, operation, seconds, code, rejected, error }: WebhookCall): void {
    const { webhooks, requests, rejections } = this.families
    webhooks.observe({ name, type, operation, rejected: String(rejected) }, seconds)
    requests.inc({ name, type, operation, code, rejected: String(rejected) })
    if (error) rejections.inc({ name, type, operation, error_type: error, rejection_code: code })
  }
}
