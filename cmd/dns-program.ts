/**
 * The DNS server as one component: a Corefile's configuration behind the server's sockets, exchanged as a whole when the
 * Corefile changes. A bad Corefile leaves everything as it is, health and metrics included.
 */
import { formatAddress, type SocketAddress } from '#lib/address.ts'
import { systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { ServerOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { loadCorefile } from './corefile.ts'

export interface DnsProgramOptions {
  readonly corefile: string
  readonly overrides: Readonly<Record<string, string | undefined>>
  readonly server: ServerOptions
  readonly logger: Logger
  readonly registry: Registry
}

export class DnsProgram implements Component {
  readonly name = 'dns'
  readonly #options: DnsProgramOptions
  readonly #server: Server
  readonly #abort = new AbortController()
  #configuration: Configuration | undefined

  constructor(options: DnsProgramOptions) {
    this.#options = options
    this.#server = new Server(() => undefined, {
      clock: systemClock,
      logger: options.logger.child({ room: 'server' }),
      registry: options.registry,
      options: options.server,
    })
  }

  async start(): Promise<void> {
    await this.#use(this.#load())
  }

  #load(): Configuration {
    const { corefile, logger, registry, overrides } = this.#options
    return loadCorefile(corefile, { logger, registry, overrides, requestReload: () => void this.reload() })
  }

  /** Reads the Corefile again. What is wrong with it is logged; then all stays as it was. */
  async reload(): Promise<void> {
    const { logger, corefile } = this.#options
    try {
      await this.#use(this.#load())
      logger.info({ corefile }, 'the Corefile was reloaded')
    } catch (error) {
      logger.error({ corefile, error }, 'the Corefile was not reloaded; the old one stays')
    }
  }

  /** Starts `next`, puts it behind the sockets, and lets the old one go. */
  async #use(next: Configuration): Promise<void> {
    const previous = this.#configuration
    if (previous) next.adopt(previous)
    await next.start(this.#abort.signal)
    try {
      await this.#server.converge(next.listeners, next.endpoints)
    } catch (error) {
      await next.close()
      throw error
    }
    this.#server.responder = next.responder
    this.#configuration = next
    await previous?.close()
  }

  /** What is bound, by the part that it serves. */
  addresses(): Readonly<Record<string, string>> {
    const { dns, http } = this.#server.addresses()
    const [first] = dns.values()
    const bound: Record<string, string> = first ? { dns: formatAddress(named(first)) } : {}
    for (const { address, path } of this.#configuration?.endpoints ?? []) {
      const socket = http.get(formatAddress(address))
      if (socket) bound[path.slice(1)] = formatAddress(named(socket))
    }
    return bound
  }

  /** Lame duck first: health says so while questions are still answered. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#configuration?.drain()
    await this.#server.close()
    await this.#configuration?.close()
  }
}

/** A wildcard as an address that a client can use. */
const named = ({ host, port }: SocketAddress): SocketAddress => ({
  host: host === '' || host === '::' ? '127.0.0.1' : host,
  port,
})
