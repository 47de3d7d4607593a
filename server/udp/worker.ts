/**
 * A UDP worker: one thread, its own socket of each listener (the kernel spreads clients over them), and a loop that does
 * not return to Node's:
 *
 *     recvmmsg → what is known is answered from the memo → sendmmsg → the rest goes to the main thread
 *
 * With one socket it waits in recvmmsg, which is one system call less for each batch; with several, in poll.
 *
 * The law of order (docs/architecture.md) holds here too: nothing is answered from the memo before all that had come
 * from the apiserver when the questions were received has been taken in (lib/input-ledger.ts), and what that ended is
 * ended in the same memory that the memo looks at (lib/change-board.ts).
 */
import assert from 'node:assert'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { InputWatch } from '#lib/input-ledger.ts'
import { ServerCookies } from '#resolver/wire/cookie.ts'
import { Answers } from '../answers.hot.ts'
import { OwnZones } from '../own-zones.ts'
import { AF_INET, bytesReceived, POLLIN, systemCalls } from '../system-calls.ts'
import type { FromWorker, ToWorker, WorkerSettings, WorkerSocket } from './batch-messages.ts'
import { ControlBlock, Count, Word } from './control-block.ts'
import {
  CONTROL_SIZE,
  DatagramBatch,
  INPUT_SIZE,
  NAME_SIZE,
  NAME_STRIDE,
  OUTPUT_SIZE,
  SLOTS,
  SOCKADDR_IN,
} from './datagram-batch.ts'
import { FIRST_RECORD, roomForRecords, writeRecord, writeSocket } from './miss-records.ts'
import { questionMark, RetryDetector, SMALLEST_QUERY } from './retries.ts'

/** Milliseconds: so long the thread may not notice that it is told something. Below the 100 ms of a clean stop. */
const POLL_TIMEOUT = 50
/** Milliseconds that questions wait for the main thread to take in what came before them; then they go to it. */
const PATIENCE = 5
/** Questions of one worker whose turn in the main thread has not come; more are dropped, as a full socket would. */
const MISSES_IN_HAND = 4096
/** Of these, questions for names that are not the server's own. */
const OTHERS_IN_HAND = 3072

/**
 * Milliseconds. One hit in so long is told to those who rank clients and names, and stands for all since the last: 50 a
 * second cost nothing that can be measured, and what they miss is no heavy hitter.
 */
const SAMPLE_PAUSE = 20

/** Milliseconds that a socket is served after it was told to leave, if it does not become quiet. */
const LEAVING = 20
/** Datagrams with a wrong checksum wake a poll in vain; so many of them in a row do not come. */
const IN_VAIN = 10_000

/** struct pollfd: descriptor (4), events (2), what happened (2). */
const POLLFD = 8

assert(parentPort, 'runs as a worker thread')
const port = parentPort
// Loaded while nobody waits for it.
systemCalls()

const awaitSettings = (): WorkerSettings => {
  Atomics.wait(new Int32Array(workerData as SharedArrayBuffer), 0, 0)
  return receiveMessageOnPort(port)!.message
}
const settings = awaitSettings()

const post = (message: FromWorker): void => port.postMessage(message)

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

class UdpWorker {
  readonly #control = new ControlBlock(settings.control)
  readonly #inputs = new InputWatch(settings.inputs, bytesReceived)
  readonly #answers = new Answers(settings.board, settings.memoBudget)
  readonly #batch = new DatagramBatch()
  readonly #clockShift = performance.timeOrigin - settings.timeOrigin
  readonly #cookies = new ServerCookies({
    clock: { now: Date.now, monotonic: () => performance.now() + this.#clockShift },
    secret: bufferOf(settings.cookieSecret),
  })
  readonly #misses = roomForRecords(SLOTS, INPUT_SIZE)
  readonly #retries = new RetryDetector()
  #ownZones = new OwnZones([])
  #sockets: WorkerSocket[] = []
  #polled = Buffer.alloc(0)
  #lastSample = Number.NEGATIVE_INFINITY
  /** Hits that no sample stands for yet. */
  #unsampled = 0
  /** Where the last hit is in the batch (-1: not in it any more), its profile and socket. */
  #lastHit = -1
  #lastProfile = 0
  #lastSocket = 0
  #mail = 0
  /** Datagrams of this batch that are noted for the main thread. */
  #noted = 0
  /** Polls one after the other that found something after which nothing could be received. */
  #inVain = 0

  run(): void {
    while (this.#control.get(Word.stop) === 0) {
      this.#readMail()
      const waits = this.#sockets.length === 1
      let idle = true
      for (const socket of this.#sockets) if (this.#serve(socket, waits) > 0) idle = false
      if (idle) this.#wait(waits ? 0 : POLL_TIMEOUT)
    }
    for (const { id } of this.#sockets) this.#leave(id)
  }

  /** At most `longest` milliseconds. */
  #wait(longest: number): void {
    let timeout = longest
    if (this.#unsampled > 0 && this.#lastHit >= 0) {
      const now = performance.now()
      const left = this.#lastSample + SAMPLE_PAUSE - now
      if (left > 0) timeout = Math.min(longest, Math.ceil(left))
      else this.#sample(now)
    }
    const ready: number = systemCalls().poll(this.#polled, this.#sockets.length, timeout)
    if (ready <= 0) this.#inVain = 0
    // A thread that is replaced opens its eyes anew; one that spins helps nobody.
    else assert(++this.#inVain < IN_VAIN, 'sockets say that they are ready, and have nothing')
  }

  #readMail(): void {
    const mail = this.#control.get(Word.mail)
    if (mail === this.#mail) return
    this.#mail = mail
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) this.#take(next.message)
  }

  #take(message: ToWorker): void {
    switch (message.type) {
      case 'serve':
        this.#follow([...this.#sockets, message.socket])
        post({ type: 'serving', id: message.socket.id })
        return
      case 'leave':
        this.#leave(message.id)
        return
      case 'own-zones':
        this.#ownZones = new OwnZones(message.zones)
        return
      case 'keep': {
        const { space, question, kept } = message
        this.#answers.keep(space, bufferOf(question), { ...kept, reply: bufferOf(kept.reply) })
      }
    }
  }

  #follow(sockets: WorkerSocket[]): void {
    this.#sockets = sockets
    this.#polled = Buffer.alloc(POLLFD * sockets.length)
    for (const [index, { fd }] of sockets.entries()) {
      this.#polled.writeInt32LE(fd, index * POLLFD)
      this.#polled.writeInt16LE(POLLIN, index * POLLFD + 4)
    }
  }

  /** Answers what waits at the socket, and lets go of it. */
  #leave(id: number): void {
    const socket = this.#sockets.find(one => one.id === id)
    if (!socket) return
    // Where nobody else takes what comes, more may always come.
    for (const end = performance.now() + LEAVING; this.#serve(socket, false) > 0 && performance.now() < end; );
    this.#follow(this.#sockets.filter(one => one !== socket))
    post({ type: 'left', id })
  }

  /** One batch. How many datagrams there were. */
  #serve(socket: WorkerSocket, waits: boolean): number {
    const batch = this.#batch
    const count = batch.receive(socket.fd, waits)
    if (count === 0) return 0
    this.#lastHit = -1
    this.#inVain = 0
    this.#control.count(Count.batches, 1)
    this.#control.count(Count.received, count)
    this.#control.arrivals[socket.space]! += count
    const arrived = performance.now()
    const inOrder = this.#inputs.caughtUp(PATIENCE)
    const now = arrived + this.#clockShift
    this.#countRetries(count, now)
    let missed = FIRST_RECORD
    let run = 0
    let hits = 0
    for (let slot = 0; slot < count; slot++) {
      const length = inOrder ? this.#answer(socket, slot, now) : 0
      if (length > 0) {
        batch.setReply(slot, length)
        this.#control.hits[this.#answers.profile]!++
        this.#lastHit = slot
        this.#lastProfile = this.#answers.profile
        run++
        hits++
        continue
      }
      missed = this.#miss(slot, missed)
      if (run > 0) this.#send(socket, slot - run, run)
      run = 0
    }
    if (run > 0) this.#send(socket, count - run, run)
    if (hits > 0) {
      this.#control.count(Count.hitTime, hits * (performance.now() - arrived))
      this.#unsampled += hits
      this.#lastSocket = socket.id
      if (arrived - this.#lastSample >= SAMPLE_PAUSE) this.#sample(arrived)
    }
    if (this.#noted > 0) this.#handOver(socket, missed)
    return count
  }

  /** In a loop of its own: each query looks at another place of a table that no cache holds, and they wait for it together. */
  #countRetries(count: number, now: number): void {
    const weight = this.#retries.weightAfter(count, now)
    let retries = 0
    for (let slot = 0; slot < count; slot++) if (this.#isRetry(slot, now)) retries += weight
    if (retries > 0) this.#control.count(Count.retries, retries)
  }

  #isRetry(slot: number, now: number): boolean {
    const { input, inputWords, nameWords } = this.#batch
    const length = this.#batch.lengthOf(slot)
    if (length < SMALLEST_QUERY) return false
    const packet = (slot * INPUT_SIZE) / 4
    const name = (slot * NAME_STRIDE) / 4
    const family = nameWords[name]! & 0xffff
    const mark = (inputWords[packet]! << 16) | (nameWords[name]! >>> 16)
    if (!this.#retries.follows(mark)) return false
    // sockaddr_in has its address at 4, sockaddr_in6 the end of its own at 20.
    const address = nameWords[name + (family === AF_INET ? 1 : 5)]!
    const end = slot * INPUT_SIZE + length
    const type = (input[end - 4]! << 8) | input[end - 3]!
    return this.#retries.isAgain(mark, address, questionMark(length, inputWords[packet + 3]!, type), now)
  }

  #answer({ space }: WorkerSocket, slot: number, now: number): number {
    const { input, output } = this.#batch
    const length = this.#batch.lengthOf(slot)
    const found = this.#answers.find(space, input, slot * INPUT_SIZE, length, output, slot * OUTPUT_SIZE, now)
    if (found > 0 && this.#answers.cookieAt > 0) this.#writeCookie(slot)
    return found
  }

  #writeCookie(slot: number): void {
    const { input, names, output } = this.#batch
    const { cookieAt, askedCookieAt, askedCookieLength } = this.#answers
    const name = slot * NAME_STRIDE
    const isIPv4 = names[name] === AF_INET
    // sockaddr_in has its address at 4, sockaddr_in6 at 8.
    const client = { at: name + (isIPv4 ? 4 : 8), length: isIPv4 ? 4 : 16 }
    this.#cookies.write(input, askedCookieAt, askedCookieLength, names, client.at, client.length, output, cookieAt)
  }

  #sample(now: number): void {
    const { input, names } = this.#batch
    const packet = this.#lastHit * INPUT_SIZE
    const name = this.#lastHit * NAME_STRIDE
    // The lengths in the batch are those of the call that found nothing more.
    const nameLength = names[name] === AF_INET ? SOCKADDR_IN : NAME_SIZE
    post({
      type: 'sample',
      id: this.#lastSocket,
      profile: this.#lastProfile,
      question: Uint8Array.from(input.subarray(packet, packet + this.#batch.lengthOf(this.#lastHit))),
      name: Uint8Array.from(names.subarray(name, name + nameLength)),
      weight: this.#unsampled,
    })
    this.#unsampled = 0
    this.#lastSample = now
  }

  /** A datagram that the system does not take is lost, as it may be anywhere on its way; those behind it are sent. */
  #send(socket: WorkerSocket, first: number, count: number): void {
    this.#control.count(Count.hits, count)
    for (let done = 0; done < count; ) {
      const sent = this.#batch.send(socket.fd, first + done, count - done)
      if (sent <= 0) this.#control.count(Count.sendFailures, 1)
      done += Math.max(sent, 1)
    }
  }

  /** Notes the datagram for the main thread; where the notes end then. */
  #miss(slot: number, end: number): number {
    const batch = this.#batch
    const name = slot * NAME_STRIDE
    // RFC 768: port 0 says that no reply is expected; none can be sent there.
    if (batch.names.readUInt16BE(name + 2) === 0) {
      this.#control.count(Count.badSource, 1)
      return end
    }
    if (this.#isShed(slot)) return end
    this.#noted++
    this.#control.count(Count.misses, 1)
    const control = slot * CONTROL_SIZE
    const packet = slot * INPUT_SIZE
    return writeRecord(this.#misses, end, {
      name: batch.names.subarray(name, name + batch.nameLengthOf(slot)),
      control: batch.control.subarray(control, control + batch.controlLengthOf(slot)),
      packet: batch.input.subarray(packet, packet + batch.lengthOf(slot)),
    })
  }

  #isShed(slot: number): boolean {
    const inHand = this.#control.get(Word.missesInHand) + this.#noted
    if (inHand < OTHERS_IN_HAND) return false
    const isOwn = this.#ownZones.has(this.#batch.input, slot * INPUT_SIZE, this.#batch.lengthOf(slot))
    if (isOwn && inHand < MISSES_IN_HAND) return false
    this.#control.count(isOwn ? Count.shed : Count.shedOthers, 1)
    return true
  }

  #handOver({ id }: WorkerSocket, length: number): void {
    writeSocket(this.#misses, id)
    post(new Uint8Array(this.#misses.subarray(0, length)))
    this.#control.add(Word.missesInHand, this.#noted)
    this.#noted = 0
  }
}

new UdpWorker().run()
