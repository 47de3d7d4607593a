/**
 * From a request's body to an object of a kind, strictly: JSON or YAML, unknown and repeated fields told, types checked.
 * What is told becomes an error, a warning or nothing as the client's `fieldValidation` asks. The body's size is the
 * transport's to bound; its depth is bounded here.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { decodeValue } from './decode-value.ts'
import { findDuplicates } from './duplicate-keys.ts'
import { fieldInvalid } from './field-error.ts'
import { cannotUnmarshal } from './go-type.ts'
import { jsonProblem } from './json-problem.ts'
import type { Kind } from './kind.ts'
import { type ApiObject, apiVersionOf } from './object.ts'
import { isObject } from './own-property.ts'
import { badRequest, invalid, type Status } from './status.ts'
import { parseYaml } from './yaml.ts'

/** KEP-2885. Kubernetes's servers take `Warn` for a client that asks for nothing. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface DecodedObject {
  readonly object: ApiObject
  /** `unknown field "spec.foo"`, `duplicate field "spec.ports"`: under `Warn`. */
  readonly warnings: readonly string[]
}

interface ParsedBody {
  readonly value: unknown
  readonly duplicates: readonly string[]
}

export type BodySyntax = 'json' | 'yaml'

/** Nobody nests deeper by intent, and below this no walk over an object can exhaust the stack. */
const MAX_DEPTH = 1000
const TOO_DEEP = 'exceeded max depth'

/** Characters of YAML that is not JSON: reading it takes up to four microseconds each, and nobody is answered meanwhile. */
const MAX_YAML = 256 * 1024
const YAML_TOO_LARGE = `error converting YAML to JSON: more than ${MAX_YAML} characters of YAML: send it as JSON`

const SUMMARY = 30

/** Of the body's beginning, as Kubernetes shows it: what does not begin as an object does is in hexadecimal. */
const firstBytes = (body: string): string => {
  if (body === '') return '<empty>'
  const bytes = Buffer.from(body.slice(0, SUMMARY + 1))
  const first = bytes.subarray(0, SUMMARY).toString(body.startsWith('{') ? 'utf8' : 'hex')
  return bytes.length > SUMMARY ? `${first} ...` : first
}

/** Where Kubernetes looks for apiVersion and kind first. */
const IDENTITY =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** Characters of a body that are given back where all of it would be. */
const MAX_ECHO = 4096

const NO_IDENTITY = "couldn't get version/kind; json parse error:"

/** Why a value is none that has apiVersion and kind. */
export const notAnObject = (value: unknown): string =>
  `${NO_IDENTITY} ${cannotUnmarshal(value)} Go value of type ${IDENTITY}`

/** The same of one whose apiVersion or kind is no text. */
export const wrongIdentity = (name: string, given: unknown): string =>
  `${NO_IDENTITY} ${cannotUnmarshal(given)} Go struct field .${name} of type string`

/** Why a body is no object of any kind; in Kubernetes's words, with the body's beginning. */
const unrecognised = (kind: Kind, body: string, detail: string): Status =>
  badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${detail} (${firstBytes(body)})`)

const parseJson = (body: string): Result<ParsedBody, string> => {
  try {
    const value: unknown = JSON.parse(body)
    const { duplicates, depth } = findDuplicates(body, value, MAX_DEPTH)
    return depth > MAX_DEPTH ? refused(TOO_DEEP) : accepted({ value, duplicates })
  } catch (error) {
    return refused(jsonProblem(body) ?? String(error))
  }
}

/** JSON is YAML, what clients send as YAML is mostly JSON, and JSON is read a hundred times as fast. */
const parseJsonOrYaml = (body: string): Result<ParsedBody, string> => {
  const json = body.trimStart().startsWith('{') ? parseJson(body) : undefined
  if (json && (json.ok || json.problem === TOO_DEEP)) return json
  return body.length > MAX_YAML ? refused(YAML_TOO_LARGE) : parseYaml(body, MAX_DEPTH)
}

/** Parses a body without looking at what it is: options of a delete, patches. The problem is a sentence. */
export const parseBody = (body: string, syntax: BodySyntax): Result<ParsedBody, string> =>
  syntax === 'json' ? parseJson(body) : parseJsonOrYaml(body)

const refusedAs = (kind: Kind, value: Record<string, unknown>, problem: string): Status => {
  const given = typeof value.kind === 'string' && value.kind !== '' ? value.kind : kind.kind
  const apiVersion =
    typeof value.apiVersion === 'string' && value.apiVersion !== '' ? value.apiVersion : apiVersionOf(kind)
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  return badRequest(`${given} in version "${version}" cannot be handled as a ${kind.kind}: ${problem}`)
}

/** Undefined: what is there of apiVersion and kind are texts, and all that has to be there is. */
const identityProblem = (kind: Kind, value: Record<string, unknown>, text: string): string | undefined => {
  for (const name of ['apiVersion', 'kind']) {
    const given = value[name] ?? ''
    if (typeof given !== 'string') return wrongIdentity(name, given)
  }
  if (String(value.apiVersion ?? '').split('/').length > 2) return `unexpected GroupVersion string: ${value.apiVersion}`
  // Of kinds that it learns of while it runs, Kubernetes takes nothing for granted.
  return kind.namesItems && !value.kind ? `Object 'Kind' is missing in '${text.slice(0, MAX_ECHO)}'` : undefined
}

/** The object must be what the path says; absent apiVersion and kind mean just that. `text`: what it was read from. */
const checkIdentity = (kind: Kind, value: Record<string, unknown>, text: string): Status | undefined => {
  const problem = identityProblem(kind, value, text)
  if (problem !== undefined) return unrecognised(kind, text, problem)
  const { apiVersion, kind: given } = value
  if ((apiVersion || kind.namesItems) && apiVersion !== apiVersionOf(kind)) {
    return badRequest(
      `the API version in the data (${apiVersion ?? ''}) does not match the expected API version (${apiVersionOf(kind)})`,
    )
  }
  return given && given !== kind.kind
    ? refusedAs(kind, value, `no kind "${given}" is served at ${kind.resource}`)
    : undefined
}

/** Strict problems in Kubernetes's words, in its order: repeated keys come to light while reading, so do unknown ones. */
const strictProblems = (unknownFields: readonly string[], duplicates: readonly string[]): string[] => [
  ...duplicates.map(path => `duplicate field "${path}"`),
  ...unknownFields.map(path => `unknown field "${path}"`),
]

/** Decodes a value whose identity is right. The problem is what Kubernetes says after `cannot be handled as a KIND: `. */
const readObject = (
  { value, duplicates }: { readonly value: Record<string, unknown>; readonly duplicates: readonly string[] },
  kind: Kind,
  validation: FieldValidation,
): Result<DecodedObject, string> => {
  const decoded = decodeValue(value, kind.type)
  if (!decoded.ok) return decoded
  const problems = validation === 'Ignore' ? [] : strictProblems(decoded.value.unknownFields, duplicates)
  if (validation === 'Strict' && problems.length > 0) {
    return refused(`strict decoding error: ${problems.join(', ')}`)
  }
  const read = decoded.value.value
  const metadata = isObject(read.metadata) ? read.metadata : {}
  return accepted({
    object: { ...read, kind: kind.kind, apiVersion: apiVersionOf(kind), metadata },
    warnings: problems,
  })
}

/**
 * Decodes what a patch made of an object. `duplicates`: the patch's repeated keys. Refused: 422 about the field `patch`,
 * as Kubernetes answers; 400 when the patch has made another kind of it.
 */
export const decodePatched = (
  value: Record<string, unknown>,
  kind: Kind,
  validation: FieldValidation,
  duplicates: readonly string[],
): Result<DecodedObject, Status> => {
  const mistaken = checkIdentity(kind, value, JSON.stringify(value))
  if (mistaken) return refused(mistaken)
  const read = readObject({ value, duplicates }, kind, validation)
  if (read.ok) return read
  const subject = { group: '', resource: kind.resource, kind: '', name: '' }
  return refused(invalid(subject, [fieldInvalid('patch', JSON.stringify(value), read.problem)]))
}

/** Nothing at all is an object without fields. */
const asObject = (value: unknown): Record<string, unknown> | undefined => {
  if (value === null || value === undefined) return {}
  return isObject(value) ? value : undefined
}

/** Reads the body of a create or an update. Every refusal is a 400 in Kubernetes's words. */
export const decodeBody = (
  body: string,
  syntax: BodySyntax,
  kind: Kind,
  validation: FieldValidation,
): Result<DecodedObject, Status> => {
  const parsed = parseBody(body, syntax)
  if (!parsed.ok)
    return refused(unrecognised(kind, body, syntax === 'json' ? `${NO_IDENTITY} ${parsed.problem}` : parsed.problem))
  const { duplicates } = parsed.value
  const value = asObject(parsed.value.value)
  if (!value) return refused(unrecognised(kind, body, notAnObject(parsed.value.value)))
  const mistaken = checkIdentity(kind, value, body)
  if (mistaken) return refused(mistaken)
  const read = readObject({ value, duplicates }, kind, validation)
  return read.ok ? read : refused(refusedAs(kind, value, read.problem))
}
