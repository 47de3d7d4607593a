/**
 * ConversionReview (apiextensions.k8s.io/v1 and v1beta1): what a conversion webhook is sent, and what it may answer.
 *
 * Promised: of an object's metadata a webhook changes labels and annotations, nothing else; what is wrong with its answer
 * is told in Kubernetes's words.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import type { FieldError } from '../field-error.ts'
import type { ApiObject } from '../object.ts'
import { validateAnnotations, validateLabels } from '../object-meta.ts'
import { isObject } from '../own-property.ts'
import { REVIEW_VERSIONS } from './conversion-validation.ts'

export interface ConversionRequest {
  readonly uid: string
  /** `GROUP/VERSION` that all shall have. */
  readonly desired: string
  readonly objects: readonly ApiObject[]
}

export interface ConversionReview {
  readonly apiVersion: string
  readonly body: Readonly<Record<string, unknown>>
}

/** `versions`: those that the webhook speaks, the best one first; at least one is spoken here. */
export const conversionReview = (
  { uid, desired, objects }: ConversionRequest,
  versions: readonly string[],
): ConversionReview => {
  const version = versions.find(each => REVIEW_VERSIONS.includes(each)) ?? 'v1'
  const apiVersion = `apiextensions.k8s.io/${version}`
  const request = { uid, desiredAPIVersion: desired, objects }
  return { apiVersion, body: { kind: 'ConversionReview', apiVersion, request } }
}

const split = (apiVersion: unknown): { group: string; version: string } => {
  const text = typeof apiVersion === 'string' ? apiVersion : ''
  const slash = text.indexOf('/')
  return { group: slash < 0 ? '' : text.slice(0, slash), version: text.slice(slash + 1) }
}

/** `stable.example.com/v1, Kind=CronTab`. */
export const describeObject = ({ apiVersion, kind }: Readonly<Record<string, unknown>>): string => {
  const { group, version } = split(apiVersion)
  return `${group}/${version}, Kind=${typeof kind === 'string' ? kind : ''}`
}

/** How Kubernetes calls what JSON brought. */
const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return '[]interface {}'
  if (isObject(value)) return 'map[string]interface {}'
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** Those of the answer, not looked at yet. Refused: why there are none. */
const readResponse = (
  answer: unknown,
  { uid }: ConversionRequest,
  { apiVersion }: ConversionReview,
): Result<readonly unknown[], string> => {
  const given = isObject(answer) ? answer : {}
  const strict = apiVersion.endsWith('/v1')
  if (strict && (given.apiVersion !== apiVersion || given.kind !== 'ConversionReview')) {
    const expected = describeObject({ apiVersion, kind: 'ConversionReview' })
    return refused(`expected webhook response of ${expected}, got ${describeObject(given)}`)
  }
  const { response } = given
  if (!isObject(response)) return refused('no response provided')
  if (strict && response.uid !== uid)
    return refused(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const { status, message } = isObject(response.result) ? response.result : {}
  if (status !== 'Success') {
    const said = typeof message === 'string' && message !== ''
    return refused(said ? message : `response.result.status was '${String(status ?? '')}', not 'Success'`)
  }
  return accepted(Array.isArray(response.convertedObjects) ? response.convertedObjects : [])
}

/** What identifies an object. */
const IDENTITY = [
  ['kind', ({ kind }: ApiObject) => kind],
  ['name', ({ metadata }: ApiObject) => metadata.name],
  ['namespace', ({ metadata }: ApiObject) => metadata.namespace],
  ['UID', ({ metadata }: ApiObject) => metadata.uid],
] as const

const checkIdentity = (original: ApiObject, converted: ApiObject): string | undefined => {
  for (const [what, of] of IDENTITY) {
    const [before, after] = [of(original) ?? '', of(converted) ?? '']
    if (before !== after) return `must have the same ${what}: ${before} != ${String(after)}`
  }
  return undefined
}

const VALIDATE = { labels: validateLabels, annotations: validateAnnotations } as const

const describeErrors = (errors: readonly FieldError[]): string => {
  const texts = errors.map(({ field, message }) => `${field}: ${message}`)
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

const readTexts = (
  field: keyof typeof VALIDATE,
  value: unknown,
): Result<Record<string, string> | undefined, string> => {
  if (value === undefined || value === null) return accepted(undefined)
  if (!isObject(value)) return refused(`invalid metadata.${field} of type ${typeOf(value)} in converted object`)
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      return refused(`metadata.${field}[${key}] must be a string, but is ${typeOf(text)} in converted object`)
  }
  const texts = value as Record<string, string>
  const errors = VALIDATE[field](texts)
  return errors.length > 0 ? refused(describeErrors(errors)) : accepted(texts)
}

/** The original's metadata, with labels and annotations as they were converted. */
const restoreMetadata = (
  original: ApiObject,
  { metadata: given }: ApiObject,
): Result<ApiObject['metadata'], string> => {
  const { labels: _labels, annotations: _annotations, ...metadata } = original.metadata
  const labels = readTexts('labels', given.labels)
  if (!labels.ok) return labels
  const annotations = readTexts('annotations', given.annotations)
  if (!annotations.ok) return annotations
  return accepted({
    ...metadata,
    ...(labels.value ? { labels: labels.value } : {}),
    ...(annotations.value ? { annotations: annotations.value } : {}),
  })
}

/** How Kubernetes names what is wrong of one object, and of one of several. */
const places = (index: number, { objects }: ConversionRequest) =>
  objects.length > 1
    ? { object: `converted object at index ${index}`, metadata: `metadata in object at index ${index}` }
    : { object: 'object', metadata: 'metadata' }

const readConverted = (value: unknown, index: number, request: ConversionRequest): Result<ApiObject, string> => {
  const original = request.objects[index]!
  const at = places(index, request)
  const given = isObject(value) ? value : {}
  if (given.apiVersion !== request.desired) {
    const detail = `invalid groupVersion (expected ${request.desired}, received ${String(given.apiVersion ?? '')})`
    return refused(`returned invalid object at index ${index}: ${detail}`)
  }
  const converted = { ...given, metadata: isObject(given.metadata) ? given.metadata : {} } as unknown as ApiObject
  const stray = checkIdentity(original, converted)
  if (stray !== undefined) return refused(`returned invalid ${at.object}: ${stray}`)
  if (given.metadata === undefined)
    return refused(`returned invalid ${at.metadata}: missing metadata in converted object`)
  if (!isObject(given.metadata)) {
    const detail = `invalid metadata of type ${typeOf(given.metadata)} in converted object`
    return refused(`returned invalid ${at.metadata}: ${detail}`)
  }
  const metadata = restoreMetadata(original, converted)
  if (!metadata.ok) return refused(`returned invalid ${at.metadata}: ${metadata.problem}`)
  return accepted({ ...converted, metadata: metadata.value })
}

/** The converted objects, in the order of the request's. Refused: the message of the 500. */
export const readConversion = (
  answer: unknown,
  request: ConversionRequest,
  review: ConversionReview,
): Result<readonly ApiObject[], string> => {
  const subject = `conversion webhook for ${describeObject(request.objects[0] ?? {})}`
  const response = readResponse(answer, request, review)
  if (!response.ok) return refused(`${subject} failed: ${response.problem}`)
  const [given, wanted] = [response.value.length, request.objects.length]
  if (given !== wanted) return refused(`${subject} returned ${given} objects, expected ${wanted}`)
  const converted: ApiObject[] = []
  for (const [index, value] of response.value.entries()) {
    const one = readConverted(value, index, request)
    if (!one.ok) return refused(`${subject} ${one.problem}`)
    converted.push(one.value)
  }
  return accepted(converted)
}
