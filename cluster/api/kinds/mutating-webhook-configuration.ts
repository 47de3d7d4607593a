/** MutatingWebhookConfiguration: servers that are asked to change what is written. */
import { applyWebhookDefaults, validateWebhooks, webhooksOf } from '../admission-registration/webhook.ts'
import { ageColumn, integerColumn } from '../column.ts'
import type { Kind } from '../kind.ts'

export const mutatingWebhookConfigurationKind: Kind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  resource: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'admissionregistration.k8s.io/v1.MutatingWebhookConfiguration',
  hasStatus: false,
  countsGenerations: true,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  applyDefaults(object) {
    applyWebhookDefaults(object)
    for (const webhook of webhooksOf(object)) webhook.reinvocationPolicy ??= 'Never'
  },
  validate: validateWebhooks,
  columns: [integerColumn('Webhooks', 'How many servers it names.', object => webhooksOf(object).length), ageColumn],
}
