/**
 * Clients who ask without a pause and never ask twice, until they are told to stop: over UDP from many ports, over TCP on
 * new connections and on one that stays as long as the server lets it (RFC 7828).
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket as Stream } from 'node:net'
import { ednsOptionCodes } from '#resolver/wire/codes.ts'
import { findOption } from '#resolver/wire/edns.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { exchangeOver, frame } from './dns-client.ts'
import { queryPacket } from './query-packet.ts'

export interface LoadTarget {
  readonly address: string
  readonly port: number
  /** Time (`performance.now`) up to which it answers whatever comes. Default: for ever. What is sent later counts for nothing. */
  readonly until?: number
}

export interface LoadOptions {
  /** Of the moment: clients go where they are told. */
  readonly server: () => LoadTarget
  readonly name: string
  /** UDP queries a second, as near as the machine comes. Default 1000. */
  readonly rate?: number
  /** Milliseconds after which a query counts as lost. Default 60 s: a machine may be slow. */
  readonly deadline?: number
}

export interface LoadFigures {
  readonly udp: number
  readonly tcp: number
  readonly kept: number
  /** Queries without an answer, and why. */
  readonly lost: readonly string[]
  /** Answers other than NOERROR. */
  readonly wrong: number
}

/** UDP sockets: the kernel spreads by the client's port. */
const SOCKETS = 64
/** Milliseconds between two bursts. */
const TICK = 5
/** UDP queries that wait for a reply: as many as any socket has room for, on a machine where a server stands still. */
const WINDOW = 128
/**
 * Milliseconds between two queries of one connection. A server that leaves may close it on a client that stands still for
 * longer (it waits for 500 ms); RFC 7766 §6.2.4: such a client asks again on a new one.
 */
const STANDSTILL = 250

export class DnsLoad {
  readonly #options: LoadOptions
  readonly #sockets: Socket[] = []
  readonly #lost: string[] = []
  readonly #counts = { udp: 0, tcp: 0, kept: 0 }
  #wrong = 0
  #stopping = false
  #id = 0
  readonly #running: Promise<void>[] = []

  constructor(options: LoadOptions) {
    this.#options = options
    this.#running.push(this.#askUdp(), this.#askTcp(), this.#askOnOne())
  }

  /** Stops asking, waits for what is due. */
  async stop(): Promise<LoadFigures> {
    this.#stopping = true
    await Promise.all(this.#running)
    for (const socket of this.#sockets) socket.close()
    return { ...this.#counts, lost: this.#lost, wrong: this.#wrong }
  }

  get #deadline(): number {
    return this.#options.deadline ?? 60_000
  }

  #nextId(): number {
    this.#id = (this.#id + 1) % 0x10000
    return this.#id
  }

  #see(reply: Buffer): void {
    if ((reply.readUInt16BE(2) & 0x800f) !== 0x8000) this.#wrong++
  }

  async #askUdp(): Promise<void> {
    const { rate = 1000, name } = this.#options
    const waiting = new Map<number, NodeJS.Timeout>()
    for (let index = 0; index < SOCKETS; index++) {
      const socket = createSocket('udp4')
      socket.on('message', reply => {
        this.#see(reply)
        const id = reply.readUInt16BE(0)
        clearTimeout(waiting.get(id))
        waiting.delete(id)
      })
      await new Promise<void>(resolve => socket.bind(0, resolve))
      this.#sockets.push(socket)
    }
    let due = 0
    let last = performance.now()
    while (!this.#stopping) {
      await new Promise(resolve => setTimeout(resolve, TICK))
      const now = performance.now()
      // After a standstill of this process it does not make up for all of it at once.
      due += Math.min(((now - last) * rate) / 1000, rate / 10)
      last = now
      for (; due >= 1 && waiting.size < WINDOW; due--) {
        const id = this.#nextId()
        if (waiting.has(id)) continue
        const target = this.#options.server()
        if (isLate(target)) continue
        const lose = () => {
          waiting.delete(id)
          this.#lost.push(`udp ${id}`)
        }
        waiting.set(id, setTimeout(lose, this.#deadline))
        this.#sockets[id % SOCKETS]!.send(queryPacket(name, { id }), target.port, target.address, () => {
          if (!isLate(target)) return
          clearTimeout(waiting.get(id))
          waiting.delete(id)
        })
        this.#counts.udp++
      }
    }
    while (waiting.size > 0) await new Promise(resolve => setTimeout(resolve, TICK))
  }

  async #askTcp(): Promise<void> {
    while (!this.#stopping) {
      const stream = await this.#connect()
      if (!stream) continue
      const { target, socket } = stream
      this.#counts.tcp++
      const replied = exchangeOver(socket, queryPacket(this.#options.name), this.#deadline)
      const counts = !isLate(target)
      await replied.then(
        reply => this.#see(reply),
        (error: Error) => counts && this.#lost.push(`tcp ${error.message}`),
      )
    }
  }

  /** Undefined: there is nobody to ask at this moment. */
  async #connect(): Promise<{ readonly target: LoadTarget; readonly socket: Stream } | undefined> {
    const target = this.#options.server()
    if (!isLate(target)) {
      try {
        const socket = await connected(target.port, target.address)
        if (!isLate(target)) return { target, socket }
        socket.destroy()
      } catch (error) {
        if (!isLate(target)) this.#lost.push(`connection ${(error as Error).message}`)
      }
    }
    await new Promise(resolve => setTimeout(resolve, TICK))
    return undefined
  }

  async #askOnOne(): Promise<void> {
    let stream: Stream | undefined
    let asked = performance.now()
    while (!this.#stopping) {
      if (!stream) {
        stream = (await this.#connect())?.socket
        asked = performance.now()
      }
      if (!stream) continue
      this.#counts.kept++
      const replied = this.#exchange(stream)
      const stoodStill = performance.now() - asked > STANDSTILL
      asked = performance.now()
      const reply = await replied
      if (!reply && !stoodStill) this.#lost.push('kept connection')
      if (!reply || isToldToGo(reply)) {
        stream.destroy()
        stream = undefined
      }
    }
    stream?.destroy()
  }

  /** Undefined: the connection was closed, or the time was over. */
  #exchange(stream: Stream): Promise<Buffer | undefined> {
    const edns = {
      udpSize: 1232,
      dnssecOk: false,
      options: [{ code: ednsOptionCodes.KEEPALIVE, data: Buffer.alloc(0) }],
    }
    stream.write(frame(queryPacket(this.#options.name, { id: this.#nextId(), edns })))
    return new Promise(resolve => {
      let received = Buffer.alloc(0)
      const end = (reply?: Buffer) => {
        clearTimeout(timer)
        stream.off('data', read)
        stream.off('close', closed)
        if (reply) this.#see(reply)
        resolve(reply)
      }
      const closed = () => end()
      const read = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) end(received.subarray(2))
      }
      const timer = setTimeout(closed, this.#deadline)
      stream.on('data', read)
      stream.once('close', closed)
    })
  }
}

const isLate = ({ until = Number.POSITIVE_INFINITY }: LoadTarget): boolean => performance.now() > until

const connected = async (port: number, address: string): Promise<Stream> => {
  const stream = connect(port, address)
  stream.setNoDelay(true)
  await once(stream, 'connect')
  stream.on('error', () => {})
  return stream
}

/** RFC 7828 §3.2.2: a time of zero. */
const isToldToGo = (reply: Buffer): boolean => {
  const decoded = decodeResponse(reply)
  const edns = decoded.ok ? decoded.value.edns : undefined
  const option = edns && findOption(edns, ednsOptionCodes.KEEPALIVE)
  return option?.data.readUInt16BE(0) === 0
}
