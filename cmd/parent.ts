/**
 * What a part tells the `seamark up` that started it, over the process's own channel; nothing when it runs alone.
 */
import type { ErrorCode } from '#lib/errors.ts'

export interface ReadyMessage {
  readonly type: 'ready'
  /** Name → `HOST:PORT` as bound. */
  readonly addresses: Readonly<Record<string, string>>
}

export interface FailedMessage {
  readonly type: 'failed'
  readonly code: ErrorCode
  readonly message: string
}

export type ParentMessage = ReadyMessage | FailedMessage

/** Resolves when the message is handed over, or at once where there is no parent. */
export const tellParent = (message: ParentMessage): Promise<void> =>
  new Promise(resolve => {
    if (!process.send || !process.connected) return resolve()
    process.send(message, () => resolve())
  })
