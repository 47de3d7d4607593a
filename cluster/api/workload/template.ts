/** The pod template that workloads hold: its defaults are a Pod's but for a few, its rules a Pod's and some more. */
import { isDeepStrictEqual } from 'node:util'
import { orNone, wideColumn } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported } from '../field-error.ts'
import type { Column } from '../kind.ts'
import {
  isEmptySelector,
  type LabelSelector,
  matchesSelector,
  selectorText,
  sortedLabels,
  validateLabelMap,
} from '../label-selector.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject, ObjectMeta } from '../object.ts'
import type { PodSpec } from '../pod/pod.ts'
import { validatePod } from '../pod/validation.ts'
import { podWarnings } from '../pod/warnings.ts'

export interface PodTemplate {
  metadata?: ObjectMeta
  spec?: PodSpec
}

/** What workloads have in common. */
export interface WorkloadSpec {
  replicas?: number
  selector?: LabelSelector
  template?: PodTemplate
  minReadySeconds?: number
}

/** Labels and annotations. */
const validateTemplateMetadata = ({ metadata = {} }: PodTemplate, at: string): FieldError[] => [
  ...validateLabelMap(metadata.labels ?? {}, `${at}.labels`),
  ...Object.keys(metadata.annotations ?? {}).flatMap(key =>
    checkQualifiedName(key.toLowerCase()).map(text => fieldInvalid(`${at}.annotations`, key, text)),
  ),
]

/** `at`: the template's field. */
export const validateTemplate = (template: PodTemplate, at: string): FieldError[] => {
  const { spec = {} } = template
  const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec }
  const errors = validatePod(pod).map(error => ({ ...error, field: `${at}.${error.field}` }))
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = 'ephemeral containers not allowed in pod template'
    errors.push(fieldForbidden(`${at}.spec.ephemeralContainers`, detail))
  }
  return [...validateTemplateMetadata(template, at), ...errors]
}

/** Of a kind whose template is at `at`: what it says of Pods is said when it is new, and when the spec changes. */
export const templateWarnings =
  (at: string, templateOf: (object: ApiObject) => PodTemplate | undefined) =>
  (object: ApiObject, current?: ApiObject): readonly string[] =>
    current && isDeepStrictEqual(object.spec, current.spec) ? [] : podWarnings(templateOf(object) ?? {}, at)

/** What the selector does not choose, the workload would make for ever. */
export const validateChosen = (
  selector: LabelSelector | undefined,
  { metadata = {} }: PodTemplate,
  at: string,
): FieldError[] => {
  // A selector that is absent chooses nothing, an empty one everything.
  if (selector && (isEmptySelector(selector) || matchesSelector(selector, metadata.labels ?? {}))) return []
  const detail = '`selector` does not match template `labels`'
  return [fieldInvalid(`${at}.metadata.labels`, metadata.labels ? sortedLabels(metadata.labels) : null, detail)]
}

/** Of workloads whose Pods are started again for ever. */
export const validateAlways = ({ spec = {} }: PodTemplate, at: string): FieldError[] => {
  const { restartPolicy = '' } = spec
  return restartPolicy === 'Always' ? [] : [fieldNotSupported(`${at}.spec.restartPolicy`, restartPolicy, ['Always'])]
}

export const templateColumns = (templateOf: (object: ApiObject) => PodTemplate | undefined): readonly Column[] => {
  const joined = (object: ApiObject, pick: 'name' | 'image'): string =>
    orNone((templateOf(object)?.spec?.containers ?? []).map(container => container[pick] ?? '').join(','))
  return [
    wideColumn('Containers', 'Names of the containers.', object => joined(object, 'name')),
    wideColumn('Images', 'What the containers run.', object => joined(object, 'image')),
  ]
}

export const selectorColumn = (selectorOf: (object: ApiObject) => LabelSelector | undefined): Column =>
  wideColumn('Selector', 'Labels of the pods that belong to it.', object => selectorText(selectorOf(object)))
