/**
 * The upstream of the servers that are measured: every name has one address. It answers at most `capacity` questions a
 * second and is silent to the others, as a resolver that has too much to do.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** Header and question kept, one A record for the question's name: TTL 300, 192.0.2.1 (RFC 1035 §4.1). */
const ANSWER = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1])

const questionEnd = (packet: Buffer): number => {
  let at = 12
  while (at < packet.length && packet[at] !== 0) at += packet[at]! + 1
  return at + 5
}

export const replyTo = (query: Buffer): Buffer => {
  const reply = Buffer.concat([query.subarray(0, questionEnd(query)), ANSWER])
  reply.writeUInt16BE(0x8180, 2)
  reply.set([0, 1, 0, 1, 0, 0, 0, 0], 4)
  return reply
}

export class UpstreamStub {
  /** Questions a second. */
  capacity = Number.POSITIVE_INFINITY
  /** Questions that came. */
  asked = 0
  readonly #socket: Socket = createSocket('udp4')
  #second = 0
  #answered = 0

  /** `127.0.0.1:PORT` */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async open(): Promise<void> {
    this.#socket.on('message', (query, client) => {
      this.asked++
      if (this.#mayAnswer()) this.#socket.send(replyTo(query), client.port, client.address)
    })
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
  }

  close(): void {
    this.#socket.close()
  }

  /** By tenths of a second: a second's worth at once would be a burst that no resolver has. */
  #mayAnswer(): boolean {
    const second = Math.floor(performance.now() / 100)
    if (second !== this.#second) this.#answered = 0
    this.#second = second
    return ++this.#answered <= this.capacity / 10
  }
}
