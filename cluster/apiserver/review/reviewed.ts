/**
 * A write as webhooks and policies are shown it: the object and what it was as JSON, in the version that they ask for, a
 * Scale where `/scale` is written; and the way back for what they change.
 */
import { isDeepStrictEqual } from 'node:util'
import { cloneJson } from '#cluster/api/clone.ts'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf, type GroupVersionKind, type GroupVersionResource } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { type Scale, scaleKind, scaleOf } from '#cluster/api/scale.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { AdmissionRequest } from '../admission.ts'
import { convertObject } from '../storage/convert-object.ts'

export type JsonObject = Record<string, unknown>

export interface Reviewed {
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  /** Null for a delete. */
  readonly object: JsonObject | null
  /** Null for a create. */
  readonly oldObject: JsonObject | null
}

const OPERATIONS = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const

export const operationOf = ({ verb }: AdmissionRequest): string => OPERATIONS[verb]

/** Of a Namespace: itself, as Kubernetes has it. '' for what is a cluster's own. */
export const namespaceOf = ({ kind, namespace, name, object }: AdmissionRequest): string =>
  kind.group === '' && kind.resource === 'namespaces' ? name || (object.metadata.name ?? '') : (namespace ?? '')

const isScale = ({ subresource, kind }: AdmissionRequest): boolean =>
  subresource === 'scale' && kind.scale !== undefined

/** What is posted to a subresource, such as a TokenRequest, is of another kind than the resource. */
const isForeign = ({ kind }: AdmissionRequest, object: ApiObject): boolean =>
  object.kind !== kind.kind || object.apiVersion !== apiVersionOf(kind)

const shown = (request: AdmissionRequest, version: Kind, object: ApiObject): JsonObject => {
  const { kind } = request
  if (isScale(request) && kind.scale) return encodeObject(scaleOf(kind.scale, object), scaleKind.type)
  if (isForeign(request, object)) return object
  return encodeObject(convertObject(kind, version, object), version.type)
}

const kindOf = (request: AdmissionRequest, version: Kind): GroupVersionKind => {
  if (isScale(request)) return { group: scaleKind.group, version: scaleKind.version, kind: scaleKind.kind }
  if (!isForeign(request, request.object)) return { group: version.group, version: version.version, kind: version.kind }
  const { apiVersion, kind } = request.object
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind }
}

/** `version`: one of the kinds that share what is stored with the request's. */
const reviewedAs = (request: AdmissionRequest, version: Kind): Reviewed => {
  const { verb, object, current } = request
  const { group, resource } = version
  return {
    kind: kindOf(request, version),
    resource: { group, version: version.version, resource },
    object: verb === 'delete' ? null : shown(request, version, object),
    oldObject: current ? shown(request, version, current) : null,
  }
}

/** As the version that is asked for, and as it came. */
export const bothVersions = (
  request: AdmissionRequest,
  version: Kind,
): { readonly reviewed: Reviewed; readonly original: Reviewed } => {
  const reviewed = reviewedAs(request, version)
  return { reviewed, original: version === request.kind ? reviewed : reviewedAs(request, request.kind) }
}

/** Makes `target` what `next` is, in place. */
const become = (target: ApiObject, next: ApiObject): void => {
  for (const field of Object.keys(target)) if (!Object.hasOwn(next, field)) delete target[field]
  Object.assign(target, next)
}

const decoded = (type: string, value: JsonObject): Result<ApiObject, string> => {
  const read = decodeValue(value, type)
  if (!read.ok) return refused(read.problem)
  const { metadata } = read.value.value
  const { kind, apiVersion } = value as { kind: string; apiVersion: string }
  return accepted({ ...read.value.value, kind, apiVersion, metadata: isObject(metadata) ? metadata : {} })
}

/**
 * Changes the request's object to `next`, what became of the `object` that was shown. Accepted: whether that differs.
 * Refused: what is wrong with it. Who owns which field is nobody's to change here.
 */
export const writeBack = (
  request: AdmissionRequest,
  version: Kind,
  before: JsonObject,
  next: JsonObject,
): Result<boolean, string> => {
  const { kind, object } = request
  const scale = isScale(request) ? kind.scale : undefined
  const foreign = !scale && isForeign(request, object)
  if (next.kind !== before.kind || next.apiVersion !== before.apiVersion)
    return refused(`the patch changes what the object is: ${String(next.apiVersion)} ${String(next.kind)}`)
  if (isDeepStrictEqual(before, next)) return accepted(false)
  if (foreign) {
    become(object, cloneJson(next) as ApiObject)
    return accepted(true)
  }
  const read = decoded(scale ? scaleKind.type : version.type, next)
  if (!read.ok) return read
  if (scale) {
    scale.want(object, (read.value as Scale).spec?.replicas ?? 0)
    return accepted(true)
  }
  const { managedFields } = object.metadata
  const changed = convertObject(version, kind, read.value)
  if (managedFields) changed.metadata.managedFields = managedFields
  else delete changed.metadata.managedFields
  become(object, changed)
  return accepted(true)
}
