/** ValidatingWebhookConfiguration: servers that are asked whether what is written may be. */
import { applyWebhookDefaults, validateWebhooks, webhooksOf } from '../admission-registration/webhook.ts'
import { ageColumn, integerColumn } from '../column.ts'
import type { Kind } from '../kind.ts'

export const validatingWebhookConfigurationKind: Kind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  resource: 'validatingwebhookconfigurations',
  singular: 'validatingwebhookconfiguration',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration',
  hasStatus: false,
  countsGenerations: true,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  applyDefaults: applyWebhookDefaults,
  validate: validateWebhooks,
  columns: [integerColumn('Webhooks', 'How many servers it names.', object => webhooksOf(object).length), ageColumn],
}
