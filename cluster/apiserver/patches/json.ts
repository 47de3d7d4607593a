/** JSON Patch (RFC 6902): operations on paths, all or none. */
import fastJsonPatch, { type Operation } from 'fast-json-patch'
import { cannotUnmarshal } from '#cluster/api/go-type.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { badRequest, failure, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { JsonObject, PatchFormat } from '../patch.ts'

// The package is CommonJS: its names are properties of its default export.
const { applyOperation, getValueByPointer, JsonPatchError } = fastJsonPatch

/** As in Kubernetes: each operation walks a path. */
const MAX_OPERATIONS = 10_000

/** Bytes that copies may add: else sixty operations that copy an object into itself fill all memory. */
const MAX_COPIED = 3 * 1024 * 1024

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

/** Kubernetes says no more than this of an operation that does not fit. */
const unprocessable = (): Status =>
  failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

/** As Kubernetes reads an operation. */
const MEMBERS = ['op', 'from', 'path'] as const

/** Why the patch is no list of operations; undefined: it is one. A null among them is one without members. */
const shapeProblem = (patch: readonly unknown[]): string | undefined => {
  for (const operation of patch) {
    if (operation === null) continue
    if (!isObject(operation)) return `${cannotUnmarshal(operation)} Go value of type handlers.jsonPatchOp`
    for (const name of MEMBERS) {
      const value = operation[name] ?? ''
      if (typeof value !== 'string')
        return `${cannotUnmarshal(value)} Go struct field jsonPatchOp.${name} of type string`
    }
  }
  return undefined
}

const isOperation = (value: unknown): value is Operation => {
  if (!isObject(value) || typeof value.path !== 'string') return false
  if (typeof value.op !== 'string' || !OPERATIONS.has(value.op)) return false
  const needsFrom = value.op === 'move' || value.op === 'copy'
  return !needsFrom || typeof value.from === 'string'
}

/** Length of what the operation copies, as JSON. */
const copiedBytes = (document: JsonObject, operation: Operation): number => {
  if (operation.op !== 'copy') return 0
  const value: unknown = getValueByPointer(document, operation.from)
  return JSON.stringify(value)?.length ?? 0
}

/** RFC 6902 §4.4: what moves has no place in itself; the package would tie it into a ring. */
const movesIntoItself = (operation: Operation): boolean =>
  operation.op === 'move' && operation.path.startsWith(`${operation.from}/`)

/** RFC 6902 §4.3 wants the target of `replace` to exist; Kubernetes lets it make a member of an object. */
const asApplied = (document: JsonObject, operation: Operation): Operation => {
  if (operation.op !== 'replace' || operation.path === '') return operation
  const parent: unknown = getValueByPointer(document, operation.path.slice(0, operation.path.lastIndexOf('/')))
  return isObject(parent) ? { ...operation, op: 'add' } : operation
}

const applyAll = (current: JsonObject, operations: readonly Operation[]): Result<JsonObject, Status> => {
  let document: unknown = structuredClone(current)
  let copied = 0
  for (const [index, operation] of operations.entries()) {
    if (!isObject(document) || movesIntoItself(operation)) return refused(unprocessable())
    copied += copiedBytes(document, operation)
    if (copied > MAX_COPIED) {
      return refused(
        failure(413, 'RequestEntityTooLarge', `copies in a JSON patch may add ${MAX_COPIED} bytes at most`),
      )
    }
    document = applyOperation(document, asApplied(document, operation), true, true, true, index).newDocument
  }
  return isObject(document) ? accepted(document) : refused(unprocessable())
}

const undecodable = (problem: string): Result<never, Status> => refused(badRequest(`error decoding patch: ${problem}`))

const apply = (current: JsonObject, given: unknown): Result<JsonObject, Status> => {
  const patch: unknown = given ?? []
  if (!Array.isArray(patch)) return undecodable(`${cannotUnmarshal(patch)} Go value of type []handlers.jsonPatchOp`)
  const problem = shapeProblem(patch)
  if (problem !== undefined) return undecodable(problem)
  if (patch.length > MAX_OPERATIONS) {
    const text = `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`
    return refused(failure(413, 'RequestEntityTooLarge', text))
  }
  if (!patch.every(isOperation)) return refused(unprocessable())
  try {
    return applyAll(current, patch)
  } catch (error) {
    // The package throws its own error for what does not fit, and a TypeError for a path through a prototype.
    if (error instanceof JsonPatchError || error instanceof TypeError) return refused(unprocessable())
    throw error
  }
}

export const jsonPatch: PatchFormat = { mediaType: 'application/json-patch+json', apply }
