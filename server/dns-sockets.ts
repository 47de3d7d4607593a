/** One DNS address of the configuration: its UDP and TCP sockets, always on the same port. */
import type { SocketAddress } from '#lib/address.ts'
import { systemCode } from '#lib/errors.ts'
import { type BindAddress, bindAddresses, isFamilyMissing, isWildcard } from './bind-address.ts'
import { TcpListener } from './tcp.ts'
import { type UdpEnvironment, UdpListener } from './udp/dgram.ts'

/** How often a port of the system's choice is tried that turns out to be taken on the other transport or family. */
const PORT_TRIES = 20

export type DnsListenerEnvironment = Omit<UdpEnvironment, 'server'>

interface Part {
  readonly close: () => Promise<void>
}

export class DnsSockets {
  /** The metrics' label; may change while the sockets stay open. */
  server: string
  readonly #address: SocketAddress
  readonly #environment: UdpEnvironment
  #parts: Part[] = []
  /** Once open, the port that it has; opened again, it asks for the same. */
  #port: number

  constructor(address: SocketAddress, server: string, environment: DnsListenerEnvironment) {
    this.#address = address
    this.#port = address.port
    this.server = server
    this.#environment = { ...environment, server: () => this.server }
  }

  /** Where it really listens: the port that the system chose for 0. */
  get bound(): SocketAddress {
    return { host: this.#address.host, port: this.#port }
  }

  /** Rejects with the system's error, with nothing left open. */
  async open(): Promise<void> {
    const addresses = await bindAddresses(this.#address.host)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#openAll(addresses)
      } catch (error) {
        await this.close()
        const isChance = this.#address.port === 0 && systemCode(error) === 'EADDRINUSE' && tries < PORT_TRIES
        if (!isChance) throw error
        this.#port = 0
      }
    }
  }

  /** Drains for at most the drain time. Idempotent. */
  async close(): Promise<void> {
    const parts = this.#parts
    this.#parts = []
    await Promise.all(parts.map(part => part.close()))
  }

  async #openAll(addresses: readonly BindAddress[]): Promise<void> {
    let missing: unknown
    for (const address of addresses) {
      try {
        await this.#openPair(address)
      } catch (error) {
        // All addresses of a machine without IPv6 (or IPv4) are those of the other family.
        if (!isWildcard(address) || addresses.length === 1 || !isFamilyMissing(error)) throw error
        missing = error
      }
    }
    if (this.#parts.length === 0) throw missing
  }

  /** TCP first: there, a port that another program has is always refused. */
  async #openPair(address: BindAddress): Promise<void> {
    const tcp = new TcpListener(address, this.#environment)
    this.#port = await tcp.open(this.#port)
    this.#parts.push(tcp)
    const udp = new UdpListener(address, this.#environment)
    await udp.open(this.#port)
    this.#parts.push(udp)
  }
}
