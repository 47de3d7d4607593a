/** create, update, patch, delete and deletecollection over HTTP. Answers leave after the watch events of the write. */

import { cloneJson } from '#cluster/api/clone.ts'
import { decodeBody, decodePatched, type FieldValidation, parseBody } from '#cluster/api/decode.ts'
import { fieldInvalid } from '#cluster/api/field-error.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { badRequest, invalid, notFound, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { withoutOwners } from '../apply/field-manager.ts'
import { applyPatch, PATCH_FORMATS, type ParsedPatch, parsePatch } from '../patches/index.ts'
import { strategicMergePatch } from '../patches/strategic.ts'
import { type Application, apply } from '../verbs/apply.ts'
import { create } from '../verbs/create.ts'
import { type Deleted, remove } from '../verbs/delete.ts'
import { deleteCollection } from '../verbs/delete-collection.ts'
import { type DeleteOptions, readDeleteOptions } from '../verbs/delete-options.ts'
import { readListOptions } from '../verbs/list-options.ts'
import { type ObjectTarget, type Representation, subjectOf, type WriteOptions } from '../verbs/request.ts'
import { type Change, type Updated, type UpdateTarget, update } from '../verbs/update.ts'
import { type ResourceCall, wantedForm } from './call.ts'
import {
  type Answer,
  afterEvents,
  formAnswer,
  headerOf,
  readBody,
  STATUS_TYPE,
  statusAnswer,
  valueAnswer,
} from './exchange.ts'
import { bodySyntax, mediaType, unsupportedMediaType } from './negotiate.ts'
import { warningHeaders } from './warnings.ts'
import { managerOfAgent, readWriteQuery, type WriteQuery } from './write-options.ts'

type Written = { readonly code: number; readonly representation: Representation } | { readonly status: Success }
type Success = Readonly<Record<string, unknown>> & { readonly kind: string; readonly apiVersion: string }

export const APPLY_PATCH = 'application/apply-patch+yaml'

type Writing = Pick<WriteQuery, 'dryRun'> & Partial<Pick<WriteQuery, 'fieldManager'>>

const targetOf = ({ resource, namespace, name = '' }: ResourceCall): ObjectTarget => ({ resource, namespace, name })

export const writing = (call: ResourceCall, { dryRun, fieldManager = '' }: Writing): WriteOptions => ({
  dryRun,
  manager: fieldManager || managerOfAgent(headerOf(call.request, 'user-agent') ?? ''),
  user: call.user,
  refuseCreate: call.refuseCreate,
  warn: text => void call.warnings.add(text),
})

export const decode = async (call: ResourceCall, validation: FieldValidation): Promise<Result<ApiObject, Status>> => {
  const syntax = bodySyntax(headerOf(call.request, 'content-type'))
  if (!syntax.ok) return syntax
  const body = await readBody(call.request)
  if (!body.ok) return body
  const decoded = decodeBody(body.value, syntax.value, call.resource.kind, validation)
  if (!decoded.ok) return decoded
  for (const text of decoded.value.warnings) call.warnings.add(text)
  return accepted(decoded.value.object)
}

/** Negotiates first: nothing is written whose answer could not be given. */
export const answering = async (call: ResourceCall, act: () => Promise<Result<Written, Status>>): Promise<Answer> => {
  const { accept } = call
  const wanted = wantedForm(call, 'written')
  if (!wanted.ok) return statusAnswer(wanted.problem, accept)
  const { form, syntax } = wanted.value
  const outcome = await act()
  await afterEvents()
  const headers = warningHeaders(call.warnings)
  if (!outcome.ok) {
    const answer = statusAnswer(outcome.problem, accept)
    return { ...answer, headers: { ...answer.headers, ...headers } }
  }
  if ('status' in outcome.value) return valueAnswer(outcome.value.status, STATUS_TYPE, { syntax, headers })
  const { code, representation } = outcome.value
  return formAnswer(form.object(call.resource.kind, representation), { code, syntax, headers })
}

export const createRoute = (call: ResourceCall): Promise<Answer> =>
  answering(call, async () => {
    const query = readWriteQuery('CreateOptions', call.query)
    if (!query.ok) return query
    const object = await decode(call, query.value.fieldValidation)
    if (!object.ok) return object
    const { registry, resource, namespace } = call
    const created = await create(registry, { resource, namespace }, object.value, writing(call, query.value))
    return created.ok ? accepted({ code: 201, representation: created.value }) : created
  })

const change = async (call: ResourceCall, how: Change, query: WriteQuery): Promise<Result<Written, Status>> =>
  answerOf(await update(call.registry, partOf(call), how, writing(call, query)))

const partOf = (call: ResourceCall): UpdateTarget => ({ ...targetOf(call), subresource: call.subresource })

const answerOf = (updated: Result<Updated, Status>): Result<Written, Status> => {
  return updated.ok ? accepted({ code: updated.value.created ? 201 : 200, representation: updated.value }) : updated
}

export const updateRoute = (call: ResourceCall): Promise<Answer> =>
  answering(call, async () => {
    const query = readWriteQuery('UpdateOptions', call.query)
    if (!query.ok) return query
    const object = await decode(call, query.value.fieldValidation)
    if (!object.ok) return object
    return change(call, () => accepted(cloneJson(object.value)), query.value)
  })

export const readPatch = async (call: ResourceCall): Promise<Result<ParsedPatch, Status>> => {
  const type = mediaType(headerOf(call.request, 'content-type'))
  // Of what a strategic patch needs to know, schemas of custom resources say nothing.
  const formats = call.resource.kind.namesItems
    ? PATCH_FORMATS.filter(format => format !== strategicMergePatch)
    : PATCH_FORMATS
  const known = formats.map(format => format.mediaType)
  if (!known.includes(type)) return refused(unsupportedMediaType([...known, APPLY_PATCH]))
  const body = await readBody(call.request)
  if (!body.ok) return body
  return parsePatch(type, body.value) ?? refused(unsupportedMediaType(known))
}

/** Whether a patch may speak of who owns what: else the owners need not go through it. */
const namesOwners = ({ patch }: ParsedPatch): boolean =>
  !isObject(patch) || (isObject(patch.metadata) && Object.hasOwn(patch.metadata, 'managedFields'))

/** The object that the patch makes of the newest state. */
export const patched = (call: ResourceCall, patch: ParsedPatch, validation: FieldValidation): Change => {
  const { kind } = call.resource
  return current => {
    // A patch makes no object, of the kinds neither that a PUT can make.
    if (!current) return refused(notFound(subjectOf(targetOf(call))))
    const known: Record<string, unknown> = namesOwners(patch) ? current : withoutOwners(current)
    const result = applyPatch(known, patch, kind.type)
    if (!result.ok) return result
    const decoded = decodePatched(result.value, kind, validation, patch.duplicates)
    if (!decoded.ok) return decoded
    for (const text of decoded.value.warnings) call.warnings.add(text)
    const { object } = decoded.value
    const { uid } = object.metadata
    if (uid !== undefined && uid !== current.metadata.uid) {
      return refused(invalid(subjectOf(targetOf(call)), [fieldInvalid('metadata.uid', uid, 'field is immutable')]))
    }
    return accepted(object)
  }
}

/** Repeated keys are the client's mistake, told as it asks once the rest is right; unknown fields the merge refuses. */
const objectionTo = (call: ResourceCall, duplicates: readonly string[], validation: FieldValidation) => () => {
  if (duplicates.length === 0 || validation === 'Ignore') return undefined
  const lines = duplicates.map(path => `  key "${path}" already set in map`)
  const text = `error converting YAML to JSON: yaml: unmarshal errors:\n${lines.join('\n')}`
  if (validation === 'Strict') return badRequest(`error strict decoding YAML: ${text}`)
  call.warnings.add(text)
  return undefined
}

const readConfiguration = (body: string) => {
  const parsed = parseBody(body, 'yaml')
  if (!parsed.ok) return refused(badRequest(`error decoding YAML: ${parsed.problem}`))
  const { value, duplicates } = parsed.value
  if (value !== null && !isObject(value)) return refused(badRequest('error decoding YAML: not an object'))
  return accepted({ configuration: value ?? {}, duplicates })
}

export const readApplication = async (
  call: ResourceCall,
  { force, fieldValidation }: WriteQuery,
): Promise<Result<Application, Status>> => {
  const body = await readBody(call.request)
  if (!body.ok) return body
  const read = readConfiguration(body.value)
  if (!read.ok) return read
  const { configuration, duplicates } = read.value
  return accepted({ configuration, force, objection: objectionTo(call, duplicates, fieldValidation) })
}

const applyRoute = async (call: ResourceCall): Promise<Result<Written, Status>> => {
  const query = readWriteQuery('PatchOptions', call.query, true)
  if (!query.ok) return query
  const application = await readApplication(call, query.value)
  if (!application.ok) return application
  return answerOf(await apply(call.registry, partOf(call), application.value, writing(call, query.value)))
}

export const patchRoute = (call: ResourceCall): Promise<Answer> =>
  answering(call, async () => {
    if (mediaType(headerOf(call.request, 'content-type')) === APPLY_PATCH) return applyRoute(call)
    const patch = await readPatch(call)
    if (!patch.ok) return patch
    const query = readWriteQuery('PatchOptions', call.query)
    if (!query.ok) return query
    return change(call, patched(call, patch.value, query.value.fieldValidation), query.value)
  })

const readOptions = async (call: ResourceCall): Promise<Result<DeleteOptions, Status>> => {
  const body = await readBody(call.request)
  if (!body.ok) return body
  if (body.value === '') return readDeleteOptions('', 'json', call.query)
  const syntax = bodySyntax(headerOf(call.request, 'content-type'))
  return syntax.ok ? readDeleteOptions(body.value, syntax.value, call.query) : syntax
}

/** The object where the kind says so or where it still waits; else a Status that names what is gone. */
const deletionAnswer = (call: ResourceCall, deleted: Deleted, options: DeleteOptions): Written => {
  const { kind } = call.resource
  // 202: it waits although the client asked for its dependents to go first (kube-apiserver's DeleteResource).
  const code = !deleted.gone && options.orphanDependents === false ? 202 : 200
  if (!deleted.gone || kind.deleteReturnsObject) return { code, representation: deleted }
  const details = {
    name: call.name,
    ...(kind.group ? { group: kind.group } : {}),
    kind: kind.resource,
    uid: deleted.object.metadata.uid,
  }
  return { status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } }
}

export const deleteRoute = (call: ResourceCall): Promise<Answer> =>
  answering(call, async () => {
    const options = await readOptions(call)
    if (!options.ok) return options
    const { dryRun } = options.value
    const deleted = await remove(call.registry, targetOf(call), options.value, writing(call, { dryRun }))
    return deleted.ok ? accepted(deletionAnswer(call, deleted.value, options.value)) : deleted
  })

export const deleteCollectionRoute = async (call: ResourceCall): Promise<Answer> => {
  const { registry, resource, namespace, accept } = call
  const wanted = wantedForm(call, 'many')
  if (!wanted.ok) return statusAnswer(wanted.problem, accept)
  const options = await readOptions(call)
  if (!options.ok) return statusAnswer(options.problem, accept)
  const selection = readListOptions(resource.kind, call.query, false)
  if (!selection.ok) return statusAnswer(selection.problem, accept)
  if (options.value.preconditions?.uid !== undefined)
    return statusAnswer(badRequest('a UID precondition is for one object, not for a collection'), accept)
  const deleted = await deleteCollection(
    registry,
    { resource, namespace },
    { selection: selection.value, options: options.value, writing: writing(call, options.value) },
  )
  await afterEvents()
  if (!deleted.ok) return statusAnswer(deleted.problem, accept)
  const { form, syntax } = wanted.value
  return formAnswer(form.list(resource.kind, deleted.value), { syntax })
}
