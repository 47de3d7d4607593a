/** Why no reply came from an upstream; its message stands in logs and in the extended error. */
export type ExchangeFailure = 'timeout' | 'unreachable' | 'closed'

export class ExchangeError extends Error {
  readonly failure: ExchangeFailure

  constructor(failure: ExchangeFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'ExchangeError'
    this.failure = failure
  }
}
