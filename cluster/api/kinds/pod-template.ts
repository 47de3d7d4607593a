/** PodTemplate: what Pods could be made of. */
import { column, labelsText } from '../column.ts'
import type { FieldError } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { type PodTemplate, templateColumns, validateTemplate } from '../workload/template.ts'

const templateOf = ({ template }: ApiObject): PodTemplate => (template ?? {}) as PodTemplate

const validate = (object: ApiObject): FieldError[] => validateTemplate(templateOf(object), 'template')

export const podTemplateKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  singular: 'podtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'core/v1.PodTemplate',
  hasStatus: false,
  countsGenerations: true,
  deleteReturnsObject: true,
  applyDefaults(object) {
    object.template ??= {}
    applyPodTemplateDefaults(templateOf(object))
  },
  validate,
  columns: [
    ...templateColumns(templateOf).map(wide => ({ ...wide, priority: 0 as const })),
    column('Pod Labels', 'Labels of the pods.', object => labelsText(templateOf(object).metadata?.labels)),
  ],
}
