/** The webhooks of all configurations of one kind, in the order in which they are asked, and those a request is for. */
import { compileExpression } from '#cluster/api/admission-registration/expressions.ts'
import { type Webhook, webhooksOf } from '#cluster/api/admission-registration/webhook.ts'
import { MATCH_CONDITIONS_LIMIT } from '#cluster/api/cel/compile.ts'
import { BOOL } from '#cluster/api/cel/type.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { forbidden, type Status } from '#cluster/api/status.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { WebhookPhase } from '../admission-metrics.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import type { Cacher } from '../storage/cacher.ts'
import { withConversions } from '../storage/convert-object.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import type { Invocation } from './call-webhook.ts'
import { type Condition, type ConditionsMeasure, judgeConditions } from './conditions.ts'
import { Evaluator } from './evaluation.ts'
import { isExempt, matchedVersion, matchesNamespace, matchesObject } from './matching.ts'
import { bothVersions } from './reviewed.ts'

export interface KnownWebhook {
  /** Of its configuration and itself: tells it apart from all others. */
  readonly id: string
  readonly webhook: Webhook
  readonly conditions: readonly Condition[]
}

export interface WebhooksEnvironment extends ConditionsMeasure {
  readonly cacher: Cacher
  /** The kinds that share what is stored of `kind`, itself included. */
  readonly versionsOf: (kind: Kind) => readonly Kind[]
  readonly decide: (attributes: Attributes) => Promise<Decision>
}

/** Validation has compiled them before; what it would not have is left out. */
const conditionsOf = ({ matchConditions = [] }: Webhook): Condition[] =>
  matchConditions.flatMap(({ name = '', expression = '' }) => {
    const compiled = compileExpression(expression.trim(), { authorizer: true }, [BOOL])
    return compiled.ok ? [{ name, expression, program: compiled.value }] : []
  })

export class Webhooks {
  readonly #environment: WebhooksEnvironment
  readonly #type: WebhookPhase
  readonly #cache: WatchCache
  #known: readonly KnownWebhook[] | undefined

  constructor(environment: WebhooksEnvironment, kind: Kind, type: WebhookPhase) {
    this.#environment = environment
    this.#type = type
    this.#cache = environment.cacher.cache(kind)
    this.#cache.subscribe(() => {
      this.#known = undefined
    })
  }

  /** By the names of their configurations, each as it lists them. None for what is nobody's to hold up. */
  for(request: AdmissionRequest): readonly KnownWebhook[] {
    if (this.#cache.size === 0 || isExempt(request)) return []
    this.#known ??= this.#cache.list().flatMap(({ object }) =>
      webhooksOf(object).map(webhook => ({
        id: `${object.metadata.uid}/${webhook.name}`,
        webhook,
        conditions: conditionsOf(webhook),
      })),
    )
    return this.#known
  }

  /** Undefined: the webhook is not about this request. A Status: nobody can say, and it must be known. */
  async invocation(known: KnownWebhook, request: AdmissionRequest): Promise<Invocation | Status | undefined> {
    const { webhook, conditions } = known
    const { rules = [], matchPolicy, namespaceSelector, objectSelector, name = '', failurePolicy } = webhook
    const { cacher, versionsOf, decide } = this.#environment
    if (!matchesNamespace(namespaceSelector, request, cacher) || !matchesObject(objectSelector, request))
      return undefined
    const versions = matchPolicy === 'Exact' ? [] : versionsOf(request.kind)
    const version = matchedVersion(rules, request, versions)
    if (!version || conditions.length === 0) return version && { webhook, version }
    const versioned = await withConversions(() => bothVersions(request, version))
    if (!versioned.ok) return versioned.problem
    const subject = { request, decide, ...versioned.value }
    const evaluator = new Evaluator(subject, MATCH_CONDITIONS_LIMIT)
    const owner = { name, kind: 'webhook', type: this.#type, failurePolicy, conditions } as const
    const verdict = await judgeConditions(this.#environment, request, owner, { evaluator })
    if (verdict === 'asked') return { webhook, version }
    if (verdict === 'excluded') return undefined
    return forbidden({ ...request.kind, name: request.name }, verdict.problem)
  }
}
