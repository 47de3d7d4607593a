/** What the main thread and its UDP workers say to each other. All else is in shared memory. */
import type { SharedBoard } from '#lib/change-board.ts'
import type { KeptReply } from '../kept-reply.ts'
import type { WireZones } from '../own-zones.ts'

export interface WorkerSettings {
  readonly board: SharedBoard
  /** server/udp/control-block.ts */
  readonly control: SharedArrayBuffer
  /** Of which all threads make the same DNS cookies. */
  readonly cookieSecret: Uint8Array
  /** lib/input-ledger.ts */
  readonly inputs: SharedArrayBuffer
  /** Bytes of replies that the worker may keep. */
  readonly memoBudget: number
  /** `performance.timeOrigin` of the main thread: the clock of all. */
  readonly timeOrigin: number
}

export interface WorkerSocket {
  /** Chosen by the main thread; never used twice. */
  readonly id: number
  readonly fd: number
  /** Replies are kept by the listener that they were asked at. */
  readonly space: number
}

/** As it is in a message, which knows no Buffers. */
export type SentReply = Omit<KeptReply, 'reply'> & { readonly reply: Uint8Array }

export type ToWorker =
  | { readonly type: 'serve'; readonly socket: WorkerSocket }
  /** Answer what waits, then let go of it. */
  | { readonly type: 'leave'; readonly id: number }
  /** Whose questions are handed over when others are not any more. */
  | { readonly type: 'own-zones'; readonly zones: WireZones }
  | { readonly type: 'keep'; readonly space: number; readonly question: Uint8Array; readonly kept: SentReply }

export type FromWorker =
  /** The worker answers at the socket from now on. */
  | { readonly type: 'serving'; readonly id: number }
  /** Datagrams that the memo has no reply to (server/udp/miss-records.ts): bytes alone, which cost least to hand over. */
  | Uint8Array
  /** One of `weight` questions that the memo had a reply to, and who asked it (sockaddr). */
  | {
      readonly type: 'sample'
      readonly id: number
      readonly profile: number
      readonly question: Uint8Array
      readonly name: Uint8Array
      readonly weight: number
    }
  /** The worker will not touch the socket any more. */
  | { readonly type: 'left'; readonly id: number }
