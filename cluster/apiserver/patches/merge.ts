/** JSON Merge Patch (RFC 7386): maps merge, null deletes, all else replaces. */
import jsonMergePatch from 'json-merge-patch'
import { cannotUnmarshal } from '#cluster/api/go-type.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { badRequest, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { JsonObject, PatchFormat } from '../patch.ts'

/** The package stops at these without a word, which would lose the rest of the patch. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

const prototypeKey = (value: unknown): string | undefined => {
  if (!isObject(value)) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = PROTOTYPE_KEYS.has(key) ? key : prototypeKey(inner)
    if (found !== undefined) return found
  }
  return undefined
}

const apply = (current: JsonObject, patch: unknown): Result<JsonObject, Status> => {
  if (!isObject(patch))
    return refused(
      badRequest(`error decoding patch: ${cannotUnmarshal(patch)} Go value of type map[string]interface {}`),
    )
  const key = prototypeKey(patch)
  if (key !== undefined) return refused(badRequest(`a merge patch may not name "${key}"`))
  const merged: unknown = jsonMergePatch.apply(structuredClone(current), structuredClone(patch))
  return isObject(merged) ? accepted(merged) : refused(badRequest('Invalid JSON Patch'))
}

export const mergePatch: PatchFormat = { mediaType: 'application/merge-patch+json', apply }
