/** `/scale`: an object's number of replicas, read, written and applied as a Scale whatever the object is. */
import { encodeObject } from '#cluster/api/encode.ts'
import { fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind, ScalePart } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { type Scale, scaleKind, scaleOf } from '#cluster/api/scale.ts'
import { badRequest, invalid, notFound, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { checkConfigurationOf, type JsonObject } from '../apply/field-manager.ts'
import { apply } from '../verbs/apply.ts'
import { get } from '../verbs/get.ts'
import { type Representation, subjectOf } from '../verbs/request.ts'
import { type Change, type Updated, update } from '../verbs/update.ts'
import type { ResourceCall } from './call.ts'
import { type Answer, headerOf } from './exchange.ts'
import { mediaType } from './negotiate.ts'
import type { Verb } from './request-attributes.ts'
import { readWriteQuery, type WriteQuery } from './write-options.ts'
import { APPLY_PATCH, answering, decode, patched, readApplication, readPatch, writing } from './write-routes.ts'

export const SCALE_VERBS: ReadonlySet<Verb> = new Set(['get', 'update', 'patch'])

const asScale = (part: ScalePart, object: ApiObject): Representation => ({
  object: encodeObject(scaleOf(part, object), scaleKind.type),
})

/** Custom resources say themselves what is wrong with a number. */
const problemOf = (scale: Scale, { name = '', resource: { kind: parent } }: ResourceCall): Status | undefined => {
  const given = scale.metadata.name ?? ''
  if (given !== '' && given !== name)
    return badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
  const replicas = scale.spec?.replicas ?? 0
  if (replicas >= 0 || parent.namesItems) return undefined
  const { group, kind, resource } = scaleKind
  return invalid({ group, kind, resource, name }, [
    fieldInvalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
  ])
}

/** `how`: what becomes of the Scale that stands for the object now. */
const changing =
  (call: ResourceCall, part: ScalePart, how: Change): Change =>
  current => {
    const { resource, name = '' } = call
    if (!current) return refused(notFound(subjectOf({ resource, name })))
    const scaled = how(asScale(part, current).object)
    if (!scaled.ok) return scaled
    const scale = scaled.value as Scale
    const problem = problemOf(scale, call)
    if (problem) return refused(problem)
    const next = structuredClone(current)
    part.want(next, scale.spec?.replicas ?? 0)
    // What the client said of the Scale it means of the object; what it did not say is as it is.
    for (const field of ['resourceVersion', 'uid'] as const) {
      const said = scale.metadata[field]
      if (said) next.metadata[field] = said
    }
    return accepted(next)
  }

const readChange = async (
  call: ResourceCall,
  verb: Verb,
): Promise<Result<{ readonly how: Change; readonly query: WriteQuery }, Status>> => {
  if (verb === 'update') {
    const query = readWriteQuery('UpdateOptions', call.query)
    if (!query.ok) return query
    const scale = await decode(call, query.value.fieldValidation)
    if (!scale.ok) return scale
    if (!scale.value.metadata.name) {
      const url = `the name of the object (${call.name} based on URL)`
      return refused(badRequest(`${url} was undeterminable: name must be provided`))
    }
    return accepted({ how: () => accepted(structuredClone(scale.value)), query: query.value })
  }
  const patch = await readPatch(call)
  if (!patch.ok) return patch
  const query = readWriteQuery('PatchOptions', call.query)
  if (!query.ok) return query
  return accepted({ how: patched(call, patch.value, query.value.fieldValidation), query: query.value })
}

/** The configuration of the object that says no more than the Scale does. */
const parentConfiguration = ({ resource: { kind } }: ResourceCall, part: ScalePart, scale: JsonObject): JsonObject => {
  const { metadata, spec } = scale as unknown as Scale
  const configuration = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata }
  if (spec?.replicas !== undefined) part.want(configuration, spec.replicas)
  return configuration as unknown as JsonObject
}

/** As the field manager of scales does: what one owns of a Scale one owns of the object, through the subresource. */
const applied = async (call: ResourceCall, part: ScalePart): Promise<Result<Updated, Status>> => {
  const { registry, resource, namespace, name = '' } = call
  const query = readWriteQuery('PatchOptions', call.query, true)
  if (!query.ok) return query
  const read = await readApplication(call, query.value)
  if (!read.ok) return read
  // No Scale makes what it would scale, whatever else is wrong with it.
  const found = await get(registry, { resource, namespace, name }, '')
  if (!found.ok) return found
  const { configuration, force, objection } = read.value
  const problem = checkConfigurationOf(scaleKind, configuration)
  if (problem) return refused(problem)
  const application = {
    configuration: parentConfiguration(call, part, configuration),
    force,
    creates: false,
    objection: () => objection() ?? problemOf(configuration as unknown as Scale, call),
  }
  return apply(registry, { resource, namespace, name }, application, throughScale(call, query.value))
}

const throughScale = (call: ResourceCall, query: WriteQuery) => ({ ...writing(call, query), through: 'scale' as const })

const changed = async (
  call: ResourceCall,
  scaleCall: ResourceCall,
  verb: Verb,
  part: ScalePart,
): Promise<Result<Updated, Status>> => {
  const { registry, resource, namespace, name = '' } = call
  const read = await readChange(scaleCall, verb)
  if (!read.ok) return read
  const { how, query } = read.value
  return update(registry, { resource, namespace, name }, changing(call, part, how), throughScale(call, query))
}

/** `part`: the kind's own. */
export const scaleRoute = (call: ResourceCall, verb: Verb, part: ScalePart): Promise<Answer> => {
  const { registry, resource, namespace, name = '' } = call
  const kind: Kind = scaleKind
  // Bodies are read, and answers written, as a Scale.
  const scaleCall: ResourceCall = { ...call, resource: { ...resource, kind } }
  const scaled = ({ object }: Representation) => accepted({ code: 200, representation: asScale(part, object) })
  return answering(scaleCall, async () => {
    if (verb === 'get') {
      const found = await get(registry, { resource, namespace, name }, call.query.get('resourceVersion') ?? '')
      return found.ok ? scaled(found.value) : found
    }
    const isApply = verb === 'patch' && mediaType(headerOf(call.request, 'content-type')) === APPLY_PATCH
    const outcome = isApply ? await applied(call, part) : await changed(call, scaleCall, verb, part)
    return outcome.ok ? scaled(outcome.value) : outcome
  })
}
