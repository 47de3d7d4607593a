/**
 * One DNS address of the configuration, with the sockets that its scheme needs: UDP and TCP on the same port, or TCP
 * alone under TLS and HTTPS.
 */
import assert from 'node:assert'
import type { Socket } from 'node:net'
import type { SocketAddress } from '#lib/address.ts'
import { systemCode } from '#lib/errors.ts'
import type { DnsListener, TlsIdentity } from '#resolver/listener.ts'
import { type BindAddress, bindAddresses, isFamilyMissing, isWildcard } from './bind-address.ts'
import { afterLook, datagramsAlone } from './listen.ts'
import type { ServerOptions } from './options.ts'
import { portsCanBeShared } from './socket-options.ts'
import { TcpListener } from './tcp.ts'
import { TcpConnection } from './tcp-connection.ts'
import { BatchListener } from './udp/batch.ts'
import { type UdpEnvironment, UdpListener } from './udp/dgram.ts'
import type { WorkerPool } from './udp/worker-pool.ts'

/** How often a port of the system's choice is tried that turns out to be taken on the other transport or family. */
const PORT_TRIES = 20

export interface DnsListenerEnvironment extends Omit<UdpEnvironment, 'server'> {
  /** Whether clients are to go elsewhere: the server has been told to stop. */
  readonly isRetiring: () => boolean
}

interface Part {
  readonly close: () => Promise<void>
}

export class DnsSockets {
  /** Label and certificates may change while the sockets stay open. */
  listener: DnsListener
  readonly #environment: DnsListenerEnvironment & UdpEnvironment
  #parts: Part[] = []
  #isClosing = false
  /** Once open, the port that it has; opened again, it asks for the same. */
  #port: number

  constructor(listener: DnsListener, environment: DnsListenerEnvironment) {
    this.listener = listener
    this.#port = listener.address.port
    this.#environment = {
      ...environment,
      server: () => this.listener.server,
      isRetiring: () => this.#isClosing || environment.isRetiring(),
    }
  }

  /** Where it really listens: the port that the system chose for 0. */
  get bound(): SocketAddress {
    return { host: this.listener.address.host, port: this.#port }
  }

  /**
   * `joins`: others may have the address. `predecessors`: hosts that this one takes over from on its port. Rejects with
   * the system's error, with nothing left open.
   */
  async open(joins: boolean, predecessors: readonly string[] = []): Promise<void> {
    this.#isClosing = false
    const { host, port } = this.listener.address
    const addresses = await bindAddresses(host)
    // The kernel prefers an address to all addresses: only a socket on the same one can take over.
    const inherited = addresses.some(isWildcard) ? (await Promise.all(predecessors.map(bindAddresses))).flat() : []
    for (let tries = 1; ; tries++) {
      try {
        await this.#openAll(addresses, joins)
        for (const address of inherited) if (!isWildcard(address)) await this.#openAt(address, joins)
        return
      } catch (error) {
        await this.close()
        this.#isClosing = false
        const isChance = port === 0 && systemCode(error) === 'EADDRINUSE' && tries < PORT_TRIES
        if (!isChance) throw error
        this.#port = 0
      }
    }
  }

  /** Drains for at most the drain time. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true
    const parts = this.#parts
    this.#parts = []
    await Promise.all(parts.map(part => part.close()))
  }

  async #openAll(addresses: readonly BindAddress[], joins: boolean): Promise<void> {
    let missing: unknown
    for (const address of addresses) {
      try {
        await this.#openAt(address, joins)
      } catch (error) {
        // All addresses of a machine without IPv6 (or IPv4) are those of the other family.
        if (!isWildcard(address) || addresses.length === 1 || !isFamilyMissing(error)) throw error
        missing = error
      }
    }
    if (this.#parts.length === 0) throw missing
  }

  /** TCP first: there, a port that another program has is refused most often. */
  async #openAt(address: BindAddress, joins: boolean): Promise<void> {
    const tcp = await this.#streams(address)
    this.#port = await tcp.open(this.#port, joins)
    this.#parts.push(tcp)
    const { scheme = 'dns' } = this.listener
    if (scheme !== 'dns') return
    const open = () => this.#openDatagrams(address, joins)
    if (portsCanBeShared && !joins) await afterLook(() => datagramsAlone(address, this.#port), open)
    else await open()
  }

  async #openDatagrams(address: BindAddress, joins: boolean): Promise<void> {
    const { pool } = this.#environment
    const batch = pool && !pool.problem && (await this.#openBatch(address, pool, joins))
    if (batch) return void this.#parts.push(batch)
    const udp = new UdpListener(address, this.#environment)
    await udp.open(this.#port, joins)
    this.#parts.push(udp)
  }

  /** Undefined: no worker can live. */
  async #openBatch(address: BindAddress, pool: WorkerPool, joins: boolean): Promise<BatchListener | undefined> {
    const batch: BatchListener = new BatchListener(address, this.#environment, pool, () => {
      if (pool.problem) void this.#replace(batch, new UdpListener(address, this.#environment))
    })
    try {
      await batch.open(this.#port, joins)
      return batch
    } catch (error) {
      if (!pool.problem) throw error
      return undefined
    }
  }

  /** The new one is there before the old one goes; where it cannot be, TCP is left. */
  async #replace(before: Part, after: UdpListener): Promise<void> {
    const at = this.#parts.indexOf(before)
    if (at < 0) return
    this.#parts[at] = { close: () => replaced.then(() => after.close()) }
    const replaced = after
      .open(this.#port, false)
      .catch(error => this.#environment.logger.error({ error }, 'UDP cannot be served by node:dgram either'))
      .then(() => before.close())
    await replaced
  }

  async #streams(address: BindAddress): Promise<TcpListener> {
    const environment = this.#environment
    const { scheme = 'dns', identity } = this.listener
    if (scheme === 'https') {
      const { HttpsProtocol } = await import('./https/protocol.ts')
      const https = new HttpsProtocol({
        ...environment,
        options: () => this.#options(),
        maxStreams: () => this.listener.timeouts?.maxHttpsStreams,
      })
      return new TcpListener(address, environment, {
        serve: stream => https.serve(stream),
        maxConnections: () => this.listener.timeouts?.maxHttpsConnections ?? environment.options.tcpMaxConnections,
        halfOpen: false,
        // RFC 9113 §3.3, RFC 9112 §9.
        tls: identity && { identity: this.#identity, protocols: ['h2', 'http/1.1'] },
      })
    }
    const transport = scheme === 'tls' ? 'tls' : 'tcp'
    return new TcpListener(address, environment, {
      serve: stream => {
        const maxQueries = this.listener.timeouts?.maxQueries ?? spread(environment.options.tcpMaxQueries, stream)
        return new TcpConnection(stream, { ...environment, options: this.#options(), transport, maxQueries })
      },
      maxConnections: () => environment.options.tcpMaxConnections,
      // RFC 7766 §6.2.4.
      halfOpen: true,
      // RFC 7858 §7.1 (ALPN of its registry: "dot").
      tls: scheme === 'tls' ? { identity: this.#identity, protocols: ['dot'] } : undefined,
    })
  }

  /** With the patience that the configuration asks for, at this moment. */
  #options(): ServerOptions {
    const { options } = this.#environment
    const { timeouts = {} } = this.listener
    return {
      ...options,
      tcpReadTimeout: timeouts.read ?? options.tcpReadTimeout,
      tcpWriteTimeout: timeouts.write ?? options.tcpWriteTimeout,
      tcpIdleTimeout: timeouts.idle ?? options.tcpIdleTimeout,
    }
  }

  readonly #identity = (): TlsIdentity => {
    const { identity } = this.listener
    assert(identity, 'a listener with TLS has certificates')
    return identity
  }
}

/** Up to a tenth more or less, by the client's port: those who came together do not leave together. */
const spread = (queries: number, { remotePort = 0 }: Socket): number =>
  Math.max(1, Math.round(queries * (0.9 + ((remotePort % 64) / 63) * 0.2)))
