/** The shape that all API objects share, as JSON. */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Who owns which fields, and since when (KEP-555). */
export interface ManagedFieldsEntry {
  manager?: string
  /** `Apply` or `Update`. */
  operation?: string
  apiVersion?: string
  /** RFC 3339, whole seconds, UTC. */
  time?: string
  /** `FieldsV1`. */
  fieldsType?: string
  fieldsV1?: unknown
  subresource?: string
}

export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  /** RFC 3339, whole seconds, UTC. */
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  /** Of the past: taken, and not kept. */
  selfLink?: string
}

export interface ApiObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface GroupVersionKind {
  /** `''` for core. */
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface GroupVersionResource {
  readonly group: string
  readonly version: string
  /** Plural, lower case. */
  readonly resource: string
}

/** `v1`, `discovery.k8s.io/v1`. */
export const apiVersionOf = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group === '' ? version : `${group}/${version}`
