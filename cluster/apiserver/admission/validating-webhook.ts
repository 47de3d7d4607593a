/** Webhooks that say whether what is written may be: all at once; the first refusal, in their order, is told. */
import type { Kind } from '#cluster/api/kind.ts'
import { validatingWebhookConfigurationKind } from '#cluster/api/kinds/validating-webhook-configuration.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { callWebhook, type WebhookEnvironment } from '../review/call-webhook.ts'
import { type KnownWebhook, Webhooks } from '../review/webhooks.ts'
import type { Cacher } from '../storage/cacher.ts'

export interface ValidatingWebhookEnvironment extends WebhookEnvironment {
  readonly cacher: Cacher
  readonly versionsOf: (kind: Kind) => readonly Kind[]
}

export const createValidatingWebhook = (environment: ValidatingWebhookEnvironment): AdmissionPlugin => {
  const webhooks = new Webhooks(environment.cacher, validatingWebhookConfigurationKind, environment.versionsOf)

  const askAll = async (request: AdmissionRequest, all: readonly KnownWebhook[]): Promise<Refusal> => {
    const invocations = all.map(known => webhooks.invocation(known, request)).filter(each => each !== undefined)
    const outcomes = await Promise.all(
      invocations.map(invocation => callWebhook(environment, request, invocation, 'validating')),
    )
    return outcomes.find(each => each.outcome === 'refused')?.status
  }

  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request) {
      const all = webhooks.for(request)
      return all.length === 0 ? undefined : askAll(request, all)
    },
  }
}
