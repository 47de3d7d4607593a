import { ERROR_ADVICE } from '#lib/errors.ts'

/** What an apiserver says instead of an answer: `kind: Status` (API conventions, "Response Status Kind"). */
export interface ApiStatus {
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    /** Seconds. */
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  }
}

/**
 * The apiserver refused, or ended a watch with an ERROR event. Judged by `reason`, and by the code where a proxy
 * answered in the apiserver's place and there is no reason.
 */
export class ApiStatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: NonNullable<ApiStatus['details']>

  /** `action` says what was tried: `GET /api/v1/services`. `code` is the HTTP one, used where the Status has none. */
  constructor(status: ApiStatus, action: string, code = 500) {
    super(`${action}: ${status.message || status.reason || `status ${status.code ?? code}`}`)
    this.name = 'ApiStatusError'
    this.code = status.code ?? code
    this.reason = status.reason ?? ''
    this.details = status.details ?? {}
  }

  #is(code: number, reason: string): boolean {
    return this.reason === '' ? this.code === code : this.reason === reason
  }

  get isUnauthorized(): boolean {
    return this.#is(401, 'Unauthorized')
  }
  /** What to do about it; undefined where trying again may help. */
  get advice(): string | undefined {
    return this.isUnauthorized || this.#is(403, 'Forbidden') ? ERROR_ADVICE.API_REFUSED : undefined
  }
  get isNotFound(): boolean {
    return this.#is(404, 'NotFound')
  }
  get isAlreadyExists(): boolean {
    return this.reason === 'AlreadyExists'
  }
  get isConflict(): boolean {
    return this.#is(409, 'Conflict')
  }
  get isInvalid(): boolean {
    return this.#is(422, 'Invalid')
  }
  get isBadRequest(): boolean {
    return this.#is(400, 'BadRequest')
  }
  /** The revision that was asked for is gone: list again. `Gone` is what servers before 1.17 said. */
  get isExpired(): boolean {
    return this.reason === 'Expired' || this.#is(410, 'Gone')
  }
  /** The server has not reached the revision yet, for instance after a restore from a backup. */
  get isTooLargeResourceVersion(): boolean {
    return (
      this.#is(504, 'Timeout') && (this.details.causes ?? []).some(cause => cause.reason === 'ResourceVersionTooLarge')
    )
  }
}

/** What a read that missed should do: `catch (error) { if (!isNotFound(error)) throw error }`. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiStatusError && error.isNotFound
export const isConflict = (error: unknown): boolean => error instanceof ApiStatusError && error.isConflict
export const isAlreadyExists = (error: unknown): boolean => error instanceof ApiStatusError && error.isAlreadyExists
