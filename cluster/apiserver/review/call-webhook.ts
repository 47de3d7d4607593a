/** One call of one webhook, and what it means for the request. */
import type { Webhook } from '#cluster/api/admission-registration/webhook.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { badRequest, internalError, type Status, type StatusReason } from '#cluster/api/status.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { AdmissionMetrics, WebhookCall, WebhookPhase } from '../admission-metrics.ts'
import { withConversions } from '../storage/convert-object.ts'
import type { HostCredentials } from '../webhook/host-credentials.ts'
import type { WebhookClients } from '../webhook/webhook-clients.ts'
import { type ReviewAnswer, readAnswer, reviewRequest } from './admission-review.ts'
import { bothVersions, type JsonObject, operationOf } from './reviewed.ts'

export interface WebhookEnvironment {
  readonly clients: WebhookClients
  /** Who the apiserver is to whom; absent: nobody. */
  readonly credentials?: HostCredentials | undefined
  readonly metrics: AdmissionMetrics
  readonly clock: Clock
  readonly logger: Logger
}

/** A webhook that a request is for, as `version`. */
export interface Invocation {
  readonly webhook: Webhook
  readonly version: Kind
}

/** `refused`: the request ends. `ignored`: the webhook could not be asked, and need not be. */
export type Outcome =
  | { readonly outcome: 'allowed'; readonly answer: ReviewAnswer; readonly shown: JsonObject | null }
  | { readonly outcome: 'refused'; readonly status: Status }
  | { readonly outcome: 'ignored' }

const DEFAULT_TIMEOUT_SECONDS = 10

/** How the webhook's word is told to the client: never as a success, whatever it calls it. */
const deniedStatus = (name: string, status: JsonObject = {}): Status => {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const { message, reason, code, details } = status
  const because = typeof message === 'string' && message !== '' ? message : reason
  const text = typeof because === 'string' && because !== '' ? `${denied}: ${because}` : `${denied} without explanation`
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text,
    ...(typeof reason === 'string' && reason !== '' ? { reason: reason as StatusReason } : {}),
    ...(details !== null && typeof details === 'object' ? { details } : {}),
    code: typeof code === 'number' && code >= 400 && code < 600 ? Math.trunc(code) : 400,
  }
}

class Calling {
  readonly #environment: WebhookEnvironment
  readonly #request: AdmissionRequest
  readonly #webhook: Webhook
  readonly #version: Kind
  readonly #type: WebhookPhase

  constructor(
    environment: WebhookEnvironment,
    request: AdmissionRequest,
    { webhook, version }: Invocation,
    type: WebhookPhase,
  ) {
    this.#environment = environment
    this.#request = request
    this.#webhook = webhook
    this.#version = version
    this.#type = type
  }

  async run(): Promise<Outcome> {
    const { name = '', sideEffects, admissionReviewVersions = [] } = this.#webhook
    if (this.#request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
      const status = badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`)
      return { outcome: 'refused', status }
    }
    const versioned = await withConversions(() => bothVersions(this.#request, this.#version))
    if (!versioned.ok) return { outcome: 'refused', status: versioned.problem }
    const { reviewed, original } = versioned.value
    const review = reviewRequest(this.#request, reviewed, original, admissionReviewVersions)
    const start = this.#environment.clock.monotonic()
    if (!review) return this.#failed(start, 'webhook does not accept known AdmissionReview versions (v1, v1beta1)')
    const answer = await this.#send(review.body)
    if (typeof answer === 'string') return this.#failed(start, answer)
    const read = readAnswer(answer.json, review, this.#type === 'admit')
    if (!read.ok) return this.#failed(start, read.problem)
    return this.#judge(start, read.value, reviewed.object)
  }

  /** The answer; a text: why there is none. */
  async #send(body: unknown): Promise<{ readonly json: unknown } | string> {
    const { clientConfig = {}, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = this.#webhook
    const { clients, credentials } = this.#environment
    try {
      return { json: await clients.post(clientConfig, body, { timeout: timeoutSeconds * 1000, credentials }) }
    } catch (error) {
      return `failed to call webhook: ${(error as Error).message}`
    }
  }

  #judge(start: number, answer: ReviewAnswer, shown: JsonObject | null): Outcome {
    const { name = '' } = this.#webhook
    this.#keep(answer.auditAnnotations)
    for (const warning of answer.warnings) this.#request.warn(warning)
    if (answer.allowed) {
      this.#count(start, { code: 200, rejected: false })
      return { outcome: 'allowed', answer, shown }
    }
    const status = deniedStatus(name, answer.status)
    this.#count(start, { code: status.code, rejected: true, error: 'no_error' })
    return { outcome: 'refused', status }
  }

  #failed(start: number, reason: string): Outcome {
    const { name = '', failurePolicy } = this.#webhook
    const { metrics, logger } = this.#environment
    const message = `failed calling webhook ${JSON.stringify(name)}: ${reason}`
    const open = failurePolicy === 'Ignore'
    logger.warn({ webhook: name, reason, failurePolicy }, 'a webhook could not be asked')
    if (open) {
      this.#count(start, { code: 503, rejected: false })
      metrics.families.failOpen.inc({ name, type: this.#type })
      return { outcome: 'ignored' }
    }
    this.#count(start, { code: 503, rejected: true, error: 'calling_webhook_error' })
    return { outcome: 'refused', status: internalError(message) }
  }

  #count(start: number, what: Pick<WebhookCall, 'code' | 'rejected' | 'error'>): void {
    const { metrics, clock } = this.#environment
    const seconds = (clock.monotonic() - start) / 1000
    const { name = '' } = this.#webhook
    metrics.webhook({ name, type: this.#type, operation: operationOf(this.#request), seconds, ...what })
  }

  /** There is no audit log: the log is where they are kept. */
  #keep(annotations: Readonly<Record<string, string>>): void {
    if (Object.keys(annotations).length === 0) return
    const { kind, namespace, user } = this.#request
    const { name = '' } = this.#webhook
    const named = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${name}/${key}`, value]))
    const about = { resource: kind.resource, group: kind.group, namespace, name: this.#request.name, user: user.name }
    this.#environment.logger.info({ ...about, annotations: named }, 'audit annotations')
  }
}

export const callWebhook = (
  environment: WebhookEnvironment,
  request: AdmissionRequest,
  invocation: Invocation,
  type: WebhookPhase,
): Promise<Outcome> => new Calling(environment, request, invocation, type).run()
