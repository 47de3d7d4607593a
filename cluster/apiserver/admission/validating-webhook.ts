/** Webhooks that say whether what is written may be: all at once; the first refusal, in their order, is told. */
import { validatingWebhookConfigurationKind } from '#cluster/api/kinds/validating-webhook-configuration.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { callWebhook, type Invocation, type WebhookEnvironment } from '../review/call-webhook.ts'
import { type KnownWebhook, Webhooks, type WebhooksEnvironment } from '../review/webhooks.ts'

export interface ValidatingWebhookEnvironment extends WebhookEnvironment, WebhooksEnvironment {}

export const createValidatingWebhook = (environment: ValidatingWebhookEnvironment): AdmissionPlugin => {
  const webhooks = new Webhooks(environment, validatingWebhookConfigurationKind, 'validating')

  const askAll = async (request: AdmissionRequest, all: readonly KnownWebhook[]): Promise<Refusal> => {
    const invocations: Invocation[] = []
    for (const known of all) {
      const invocation = await webhooks.invocation(known, request)
      if (invocation && !('webhook' in invocation)) return invocation
      if (invocation) invocations.push(invocation)
    }
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
