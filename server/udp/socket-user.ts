import type { WorkerSocket } from './batch-messages.ts'
import type { MissRecord } from './miss-records.ts'

/** What a listener is told of its sockets. */
export interface SocketUser {
  /** The worker has begun; once, or again after it died. */
  readonly serving: () => void
  /** No worker can live: they die one after the other. */
  readonly failed: (error: Error) => void
  readonly missed: (miss: MissRecord, worker: number) => void
  /** The worker has let go of the socket, or died. */
  readonly left: () => void
}

export interface ServedSocket {
  readonly socket: WorkerSocket
  readonly user: SocketUser
}
