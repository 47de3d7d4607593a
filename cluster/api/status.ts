/** metav1.Status: the API's answer when something is refused. Reasons and codes as Kubernetes gives them. */
import type { FieldError } from './field-error.ts'

export type StatusReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'Invalid'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'ServerTimeout'

export interface StatusCause {
  readonly reason?: string
  readonly message: string
  readonly field?: string
}

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, unknown>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: StatusReason
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
  readonly code: number
}

export const failure = (code: number, reason: StatusReason, message: string, details?: Status['details']): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  ...(details ? { details } : {}),
  code,
})

/** Done, and nothing to show for it. */
export const success = (code: number): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code,
})

/** What a Status is about: details.kind is the plural resource for most reasons, the kind for Invalid. */
export interface Subject {
  readonly group: string
  readonly resource: string
  readonly kind: string
  readonly name: string
}

const qualified = ({ group, resource }: Subject): string => (group === '' ? resource : `${resource}.${group}`)
const detailsOf = ({ group, resource, name }: Subject) => ({ name, ...(group ? { group } : {}), kind: resource })

export const notFound = (subject: Subject): Status =>
  failure(404, 'NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject))

export const alreadyExists = (subject: Subject): Status =>
  failure(409, 'AlreadyExists', `${qualified(subject)} "${subject.name}" already exists`, detailsOf(subject))

export const conflict = (subject: Subject, detail: string): Status =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${detail}`,
    detailsOf(subject),
  )

/** The 409 of a stale resourceVersion. */
export const staleObject = (subject: Subject): Status =>
  conflict(subject, 'the object has been modified; please apply your changes to the latest version and try again')

export const forbidden = (subject: Subject, detail: string): Status =>
  failure(403, 'Forbidden', `${qualified(subject)} "${subject.name}" is forbidden: ${detail}`, detailsOf(subject))

export const badRequest = (message: string): Status => failure(400, 'BadRequest', message)

export const expired = (message: string): Status => failure(410, 'Expired', message)

/** A 500 as Kubernetes gives it for errors of its libraries that name no reason. */
export const unexplained = (message: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  code: 500,
})

export const internalError = (message: string): Status =>
  failure(500, 'InternalError', `Internal error occurred: ${message}`)

/** 422 with one cause a field. */
export const invalid = (subject: Subject, errors: readonly FieldError[]): Status => {
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`
  const texts = errors.map(error => `${error.field}: ${error.message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `${kind} "${subject.name}" is invalid: ${list}`, {
    ...(subject.name ? { name: subject.name } : {}),
    ...(subject.group ? { group: subject.group } : {}),
    ...(subject.kind ? { kind: subject.kind } : {}),
    causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
  })
}
