/** The patch formats that the API takes, and the way through all of them. */

import { parseBody } from '#cluster/api/decode.ts'
import { badRequest, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { JsonObject, PatchFormat } from '../patch.ts'
import { jsonPatch } from './json.ts'
import { mergePatch } from './merge.ts'
import { strategicMergePatch } from './strategic.ts'

export const PATCH_FORMATS: readonly PatchFormat[] = [jsonPatch, mergePatch, strategicMergePatch]

/** A patch as it came, parsed once however often it must be applied. */
export interface ParsedPatch {
  readonly format: PatchFormat
  readonly patch: unknown
  /** Repeated keys of the patch, for strict field validation. */
  readonly duplicates: readonly string[]
}

/** Undefined for a media type that is no patch format's: 415. Refused (400): a body that is not JSON. */
export const parsePatch = (mediaType: string, body: string): Result<ParsedPatch, Status> | undefined => {
  const format = PATCH_FORMATS.find(candidate => candidate.mediaType === mediaType)
  if (!format) return undefined
  const parsed = parseBody(body, 'json')
  if (!parsed.ok) return refused(badRequest(`error decoding patch: ${parsed.problem}`))
  return accepted({ format, patch: parsed.value.value, duplicates: parsed.value.duplicates })
}

/** `type`: the object's name in types.json. What comes out is not yet decoded. */
export const applyPatch = (current: JsonObject, parsed: ParsedPatch, type: string): Result<JsonObject, Status> =>
  parsed.format.apply(current, parsed.patch, type)
