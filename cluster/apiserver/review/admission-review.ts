/** AdmissionReview (admission.k8s.io/v1 and v1beta1): what a webhook is sent, and what it may answer. */
import { randomUUID } from 'node:crypto'
import { isObject } from '#cluster/api/own-property.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { AdmissionRequest } from '../admission.ts'
import { userInfo } from '../reviews/user-info.ts'
import { type JsonObject, namespaceOf, operationOf, type Reviewed } from './reviewed.ts'

export interface ReviewRequest {
  readonly uid: string
  readonly body: JsonObject
  readonly apiVersion: string
}

export interface ReviewAnswer {
  readonly allowed: boolean
  /** metav1.Status; absent: without explanation. */
  readonly status: JsonObject | undefined
  /** Operations of a JSON patch; absent: nothing changes. */
  readonly patch: unknown
  readonly patchType: string | undefined
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
}

/** Newest first: those that are spoken here. */
const VERSIONS = ['v1', 'v1beta1']

/** AdmissionRequest but for uid and objects. */
export const requestJson = (request: AdmissionRequest, reviewed: Reviewed, original: Reviewed): JsonObject => {
  const { subresource, name, dryRun, user, options } = request
  const namespace = namespaceOf(request)
  const sub = (key: string) => (subresource === '' ? {} : { [key]: subresource })
  return {
    kind: reviewed.kind,
    resource: reviewed.resource,
    ...sub('subResource'),
    requestKind: original.kind,
    requestResource: original.resource,
    ...sub('requestSubResource'),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: operationOf(request),
    userInfo: userInfo(user),
    dryRun,
    options: options ?? null,
  }
}

/** Undefined: the webhook speaks no version that is spoken here. */
export const reviewRequest = (
  request: AdmissionRequest,
  reviewed: Reviewed,
  original: Reviewed,
  versions: readonly string[],
): ReviewRequest | undefined => {
  const version = versions.find(each => VERSIONS.includes(each))
  if (version === undefined) return undefined
  const uid = randomUUID()
  const apiVersion = `admission.k8s.io/${version}`
  const { object, oldObject } = reviewed
  const body = {
    kind: 'AdmissionReview',
    apiVersion,
    request: { uid, ...requestJson(request, reviewed, original), object, oldObject },
  }
  return { uid, body, apiVersion }
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

const annotationsOf = (value: unknown): Record<string, string> =>
  isObject(value)
    ? (Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === 'string')) as Record<
        string,
        string
      >)
    : {}

/** Whether patch and its type may be so. A first version of the API asked less. */
const checkPatch = ({ patch, patchType }: JsonObject, mutating: boolean, strict: boolean): string | undefined => {
  const [given, typed] = [typeof patch === 'string' && patch !== '', patchType !== undefined && patchType !== null]
  if (!strict) return undefined
  if (!mutating) {
    if (given) return 'validating webhook may not return response.patch'
    return typed ? 'validating webhook may not return response.patchType' : undefined
  }
  if (given && !typed) return 'webhook returned response.patch but not response.patchType'
  if (!given && typed) return 'webhook returned response.patchType but not response.patch'
  return typed && patchType === '' ? 'webhook returned invalid response.patchType of ""' : undefined
}

const describe = (value: JsonObject): string => {
  const [group = '', version = ''] = String(value.apiVersion ?? '').split('/')
  return `${group}/${version}, Kind=${String(value.kind ?? '')}`
}

const readPatch = (patch: unknown): Result<unknown, string> => {
  if (typeof patch !== 'string' || patch === '') return accepted(undefined)
  try {
    return accepted(JSON.parse(Buffer.from(patch, 'base64').toString()) as unknown)
  } catch (error) {
    return refused(`received undecodable patch in webhook response: ${(error as Error).message}`)
  }
}

/** Refused: why the answer is none, in Kubernetes's words. */
export const readAnswer = (
  answer: unknown,
  { uid, apiVersion }: ReviewRequest,
  mutating: boolean,
): Result<ReviewAnswer, string> => {
  const invalid = (reason: string) => refused(`received invalid webhook response: ${reason}`)
  if (!isObject(answer) || !isObject(answer.response)) return invalid('webhook response was absent')
  const { response } = answer
  const strict = apiVersion.endsWith('/v1')
  if (strict && response.uid !== uid)
    return invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (strict && (answer.apiVersion !== apiVersion || answer.kind !== 'AdmissionReview'))
    return invalid(`expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${describe(answer)}`)
  const wrong = checkPatch(response, mutating, strict)
  if (wrong !== undefined) return invalid(wrong)
  const patch = mutating ? readPatch(response.patch) : accepted(undefined)
  if (!patch.ok) return patch
  return accepted({
    allowed: response.allowed === true,
    status: isObject(response.status) ? response.status : undefined,
    patch: patch.value,
    patchType: strict && typeof response.patchType === 'string' ? response.patchType : 'JSONPatch',
    warnings: textsOf(response.warnings),
    auditAnnotations: annotationsOf(response.auditAnnotations),
  })
}
