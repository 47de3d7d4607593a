/**
 * Whether quotas refuse what is too much: where this plugin is left out they are counted and no more. The refusal comes
 * with the write itself (`quota/quotas.ts`), later than any other plugin's, so that nothing is counted which is refused.
 */
import type { AdmissionPlugin } from '../admission.ts'

export const resourceQuota: AdmissionPlugin = { name: 'ResourceQuota' }
