/**
 * Which input has been taken in, so that another thread can tell whether something had come before it: how many bytes
 * this process has read from each of some TCP connections, and done with what they say, in memory that threads share.
 * The kernel tells how many have come (TCP_INFO). Where both are the same, nothing is on its way.
 *
 * The main thread publishes at the end of each turn of its event loop in which something was read: by then the listeners
 * of that turn have run.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** Connections at one time (a watch has one). Where there are more, the answer is always "something may be on its way". */
const SLOTS = 8
/** Words: the turn, how many connections have no slot, then for each slot the descriptor (0: none, -1: gone) and the bytes. */
const TURN = 0
const UNFOLLOWED = 1
const FIRST = 2

interface Followed {
  readonly slot: number
  readonly read: () => number
}

export class InputLedger {
  readonly shared = new SharedArrayBuffer(4 * (FIRST + 2 * SLOTS))
  readonly #words = new Int32Array(this.shared)
  readonly #followed = new Map<Socket, Followed>()
  #publishing = false

  /** Follows a connected socket until it closes. Whoever reads from it calls `publishSoon` when something has come. */
  follow(socket: Socket): void {
    // It has said so already, and nothing comes any more.
    if (socket.closed) return
    const handle = tcpHandle(socket)
    const slot = this.#freeSlot()
    if (!handle || slot === undefined) {
      Atomics.add(this.#words, UNFOLLOWED, 1)
      socket.once('close', () => Atomics.sub(this.#words, UNFOLLOWED, 1))
      return
    }
    this.#followed.set(socket, { slot, read: () => handle.bytesRead })
    Atomics.store(this.#words, FIRST + 2 * slot + 1, handle.bytesRead)
    Atomics.store(this.#words, FIRST + 2 * slot, handle.fd)
    socket.once('close', () => {
      // Until those who read from it have drawn their conclusions, its end is something that has not been taken in.
      Atomics.store(this.#words, FIRST + 2 * slot, -1)
      this.#followed.delete(socket)
      afterNextTurn(() => {
        Atomics.store(this.#words, FIRST + 2 * slot, 0)
        this.#tell()
      })
    })
  }

  /** Publishes when the turn is over. */
  readonly publishSoon = (): void => {
    if (this.#publishing) return
    this.#publishing = true
    setImmediate(() => {
      this.#publishing = false
      for (const { slot, read } of this.#followed.values()) Atomics.store(this.#words, FIRST + 2 * slot + 1, read())
      this.#tell()
    })
  }

  #tell(): void {
    Atomics.add(this.#words, TURN, 1)
    Atomics.notify(this.#words, TURN)
  }

  #freeSlot(): number | undefined {
    for (let slot = 0; slot < SLOTS; slot++) if (Atomics.load(this.#words, FIRST + 2 * slot) === 0) return slot
    return undefined
  }
}

const afterNextTurn = (task: () => void) => setImmediate(() => setImmediate(task))

/** What Node keeps of a connection: not public, and checked for what is needed of it. */
interface TcpHandle {
  readonly fd: number
  readonly bytesRead: number
}

/** Under TLS, the connection that carries it. */
const tcpHandle = (socket: Socket | TLSSocket): TcpHandle | undefined => {
  const { _handle: own } = socket as unknown as { _handle?: Partial<TcpHandle> & { _parent?: Partial<TcpHandle> } }
  const handle = own?._parent ?? own
  return typeof handle?.fd === 'number' && handle.fd > 0 && typeof handle.bytesRead === 'number'
    ? (handle as TcpHandle)
    : undefined
}

/** The other side: read by any thread. */
export class InputWatch {
  readonly #words: Int32Array
  readonly #received: (fd: number) => number | undefined
  readonly #awaited = new Int32Array(SLOTS)

  /** `received`: bytes that have come on a TCP connection; undefined: it is none, or has ended. */
  constructor(shared: SharedArrayBuffer, received: (fd: number) => number | undefined) {
    this.#words = new Int32Array(shared)
    this.#received = received
  }

  /**
   * Whether all that has come until now has been taken in. Waits for it at most `patience` milliseconds; false: it has
   * not.
   */
  caughtUp(patience: number): boolean {
    const words = this.#words
    if (Atomics.load(words, UNFOLLOWED) > 0) return false
    let turn = Atomics.load(words, TURN)
    if (!this.#mark()) return true
    const end = performance.now() + patience
    while (this.#isBehind()) {
      const left = end - performance.now()
      if (left <= 0) return false
      Atomics.wait(words, TURN, turn, left)
      turn = Atomics.load(words, TURN)
    }
    return true
  }

  /** Notes what has come on each connection; whether some of it has not been taken in. */
  #mark(): boolean {
    let behind = false
    for (let slot = 0; slot < SLOTS; slot++) {
      const fd = Atomics.load(this.#words, FIRST + 2 * slot)
      if (fd === 0) continue
      const received = this.#received(fd)
      // None any more: the main thread will hear of its end.
      this.#awaited[slot] = received ?? Atomics.load(this.#words, FIRST + 2 * slot + 1) + 1
      if (this.#lacks(slot)) behind = true
    }
    return behind
  }

  #isBehind(): boolean {
    for (let slot = 0; slot < SLOTS; slot++)
      if (Atomics.load(this.#words, FIRST + 2 * slot) !== 0 && this.#lacks(slot)) return true
    return false
  }

  /** The count wraps at 32 bits. */
  #lacks(slot: number): boolean {
    return ((this.#awaited[slot]! - Atomics.load(this.#words, FIRST + 2 * slot + 1)) | 0) > 0
  }
}
