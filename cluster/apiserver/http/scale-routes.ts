/**
 * `/scale`: an object's number of replicas, read and written as a Scale whatever the object is. Not promised: that a
 * server-side apply is taken here.
 */
import { encodeObject } from '#cluster/api/encode.ts'
import { fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind, ScalePart } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type Scale, scaleKind, scaleOf } from '#cluster/api/scale.ts'
import { badRequest, invalid, notFound, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { get } from '../verbs/get.ts'
import { type Representation, subjectOf } from '../verbs/request.ts'
import { type Change, update } from '../verbs/update.ts'
import type { ResourceCall } from './call.ts'
import type { Answer } from './exchange.ts'
import type { Verb } from './request-attributes.ts'
import { readWriteQuery, type WriteQuery } from './write-options.ts'
import { answering, decode, patched, readPatch, writing } from './write-routes.ts'

export const SCALE_VERBS: ReadonlySet<Verb> = new Set(['get', 'update', 'patch'])

const asScale = (part: ScalePart, object: ApiObject): Representation => ({
  object: encodeObject(scaleOf(part, object), scaleKind.type),
})

const problemOf = (scale: Scale, name: string): Status | undefined => {
  const given = scale.metadata.name ?? ''
  if (given !== '' && given !== name)
    return badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
  const replicas = scale.spec?.replicas ?? 0
  if (replicas >= 0) return undefined
  const { group, kind, resource } = scaleKind
  return invalid({ group, kind, resource, name }, [
    fieldInvalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
  ])
}

/** `how`: what becomes of the Scale that stands for the object now. */
const changing =
  ({ resource, name = '' }: ResourceCall, part: ScalePart, how: Change): Change =>
  current => {
    if (!current) return refused(notFound(subjectOf({ resource, name })))
    const scaled = how(asScale(part, current).object)
    if (!scaled.ok) return scaled
    const scale = scaled.value as Scale
    const problem = problemOf(scale, name)
    if (problem) return refused(problem)
    const next = structuredClone(current)
    part.want(next, scale.spec?.replicas ?? 0)
    // What the client said of the Scale it means of the object.
    for (const field of ['resourceVersion', 'uid'] as const) {
      const said = scale.metadata[field]
      if (said === undefined) delete next.metadata[field]
      else next.metadata[field] = said
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
    return accepted({ how: () => accepted(structuredClone(scale.value)), query: query.value })
  }
  const patch = await readPatch(call)
  if (!patch.ok) return patch
  const query = readWriteQuery('PatchOptions', call.query)
  if (!query.ok) return query
  return accepted({ how: patched(call, patch.value, query.value.fieldValidation), query: query.value })
}

/** `part`: the kind's own. */
export const scaleRoute = (call: ResourceCall, verb: Verb, part: ScalePart): Promise<Answer> => {
  const { registry, resource, namespace, name = '' } = call
  const kind: Kind = scaleKind
  // Bodies are read, and answers written, as a Scale.
  const scaleCall: ResourceCall = { ...call, resource: { ...resource, kind } }
  return answering(scaleCall, async () => {
    if (verb === 'get') {
      const found = await get(registry, { resource, namespace, name }, call.query.get('resourceVersion') ?? '')
      return found.ok ? accepted({ code: 200, representation: asScale(part, found.value.object) }) : found
    }
    const read = await readChange(scaleCall, verb)
    if (!read.ok) return read
    const { how, query } = read.value
    const change = changing(call, part, how)
    const options = { ...writing(call, query), through: 'scale' as const }
    const updated = await update(registry, { resource, namespace, name }, change, options)
    return updated.ok ? accepted({ code: 200, representation: asScale(part, updated.value.object) }) : updated
  })
}
