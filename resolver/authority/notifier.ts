/** Tells other servers that a zone has changed (RFC 1996), until they say that they have heard. */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Counter } from '#lib/metrics.ts'
import type { Random } from '#lib/random.ts'
import { rcodeName } from '../wire/codes.ts'
import { encodeNotify, isNotifyReply } from '../wire/notify.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

export interface Peer {
  readonly address: string
  readonly port: number
}

export interface NotifierOptions {
  readonly peers: readonly Peer[]
  /** Addresses of this machine to send from, one of each family at most. */
  readonly sources: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Peers that did not answer; label `zone`. */
  readonly failures: Counter
}

/** RFC 1996 §3.6: 60 seconds and five times are suggested; nearer servers are heard sooner, and all in all as long. */
const WAITS: readonly Milliseconds[] = [2000, 10_000, 30_000, 60_000, 60_000]

export class Notifier {
  readonly #options: NotifierOptions
  /** By zone and peer: a newer change takes the place of one that is still being told. */
  readonly #telling = new Map<string, { readonly stop: () => void }>()

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  /** Tells every peer of the zone's new SOA. */
  tell(zone: DnsName, soa: ResourceRecord): void {
    for (const peer of this.#options.peers) {
      const key = `${peer.address} ${peer.port} ${zone}`
      this.#telling.get(key)?.stop()
      const stop = this.#tellPeer(zone, soa, peer, () => this.#telling.delete(key))
      this.#telling.set(key, { stop })
    }
  }

  close(): void {
    for (const { stop } of this.#telling.values()) stop()
  }

  /** Gives back what stops it; `onEnd` is told however it ends. */
  #tellPeer(zone: DnsName, soa: ResourceRecord, { address, port }: Peer, onEnd: () => void): () => void {
    const { clock, random, logger, failures, sources } = this.#options
    const packet = encodeNotify(random.integer(0x10000), soa)
    const is6 = isIPv6(address.replace(/%.*$/, ''))
    const socket = createSocket(is6 ? 'udp6' : 'udp4')
    let timer: Timer | undefined
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      timer?.cancel()
      socket.close()
      onEnd()
    }
    const send = (attempt: number) => {
      const wait = WAITS[attempt]
      if (wait === undefined) {
        failures.inc({ zone })
        logger.warn({ zone, address, port }, 'change of a zone was announced, and nobody answered')
        end()
        return
      }
      socket.send(packet, () => {})
      timer = clock.after(wait, () => send(attempt + 1))
    }
    const giveUp = (error: Error) => {
      if (ended) return
      failures.inc({ zone })
      logger.warn({ zone, address, port, error }, 'announcement cannot be sent')
      end()
    }
    socket.on('error', error => {
      // Before the first try it is the source that this machine does not have.
      if (!timer) giveUp(error)
      // A port that is closed is found again at the next try.
      else logger.debug({ zone, address, port, error }, 'announcement could not be sent')
    })
    socket.on('message', reply => {
      if (!isNotifyReply(packet, reply)) return
      const rcode = reply.readUInt16BE(2) & 0xf
      if (rcode !== 0) logger.warn({ zone, address, port, rcode: rcodeName(rcode) }, 'announcement was turned down')
      end()
    })
    socket.unref()
    const source = sources.find(each => isIPv6(each) === is6)
    if (source !== undefined) socket.bind({ address: source })
    socket.connect(port, address, (error?: Error) => {
      if (error) giveUp(error)
      else if (!ended) send(0)
    })
    return end
  }
}
