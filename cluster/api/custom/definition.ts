/** A CustomResourceDefinition as the code reads it (apiextensions.k8s.io/v1). */
import type { ApiObject } from '../object.ts'
import type { SchemaProps } from './schema.ts'

export interface Names {
  plural?: string
  singular?: string
  shortNames?: string[]
  kind?: string
  listKind?: string
  categories?: string[]
}

export interface PrinterColumn {
  name?: string
  type?: string
  format?: string
  description?: string
  priority?: number
  jsonPath?: string
}

export interface ScalePaths {
  specReplicasPath?: string
  statusReplicasPath?: string
  labelSelectorPath?: string
}

export interface Subresources {
  status?: object
  scale?: ScalePaths
}

export interface DefinitionVersion {
  name?: string
  served?: boolean
  storage?: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: SchemaProps }
  subresources?: Subresources
  additionalPrinterColumns?: PrinterColumn[]
  selectableFields?: { jsonPath?: string }[]
}

export interface WebhookClientConfig {
  url?: string
  service?: { namespace?: string; name?: string; path?: string; port?: number }
  /** PEM in base64. */
  caBundle?: string
}

export interface Conversion {
  strategy?: string
  webhook?: { clientConfig?: WebhookClientConfig; conversionReviewVersions?: string[] }
}

export interface DefinitionSpec {
  group?: string
  names?: Names
  scope?: string
  versions?: DefinitionVersion[]
  conversion?: Conversion
  preserveUnknownFields?: boolean
}

export interface Condition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface DefinitionStatus {
  conditions?: Condition[]
  acceptedNames?: Names
  storedVersions?: string[]
}

export const specOf = ({ spec }: ApiObject): DefinitionSpec => (spec ?? {}) as DefinitionSpec
export const statusOf = ({ status }: ApiObject): DefinitionStatus => (status ?? {}) as DefinitionStatus

const conditionOf = (definition: ApiObject, type: string): Condition | undefined =>
  statusOf(definition).conditions?.find(condition => condition.type === type)

export const isConditionTrue = (definition: ApiObject, type: string): boolean =>
  conditionOf(definition, type)?.status === 'True'

/** `status` with one condition set; the time of its last transition stays where the status does. */
export const setCondition = (status: DefinitionStatus, condition: Condition, now: string): void => {
  status.conditions ??= []
  const known = status.conditions.find(({ type }) => type === condition.type)
  if (!known) status.conditions.push({ ...condition, lastTransitionTime: now })
  else {
    const lastTransitionTime = known.status === condition.status ? (known.lastTransitionTime ?? now) : now
    Object.assign(known, condition, { lastTransitionTime })
  }
}

/** What holds a definition until nothing is stored of its resources. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'
