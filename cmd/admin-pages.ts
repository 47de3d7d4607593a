/**
 * Where the DNS server tells what it does: /explain, /top, /failures, /cache, /config, /statistics. They show what clients
 * ask for, so they are on loopback unless a flag says otherwise; and as a help for people must not keep DNS from its
 * start, an address that nobody asked for is given up while another program has it.
 */
import { formatAddress, type SocketAddress } from '#lib/address.ts'
import { systemClock, type Timer } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { adminPages, type PagesOptions } from '#resolver/insight/pages.ts'
import type { ServerOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { addressOfFlag } from './address-flag.ts'
import { reachableAddress } from './reachable-address.ts'

/** After that an address that another program had is tried again: one that hands over to this one is gone by then. */
const RETRY = 5000

export interface AdminPagesOptions {
  /** `HOST:PORT`, or `off`. */
  readonly address: string
  /** Whether somebody wants them there; else they give way to another program. */
  readonly isAsked: boolean
  readonly pages: PagesOptions
  readonly server: ServerOptions
  readonly logger: Logger
}

export class AdminPages implements Component {
  readonly name = 'admin-pages'
  readonly #options: AdminPagesOptions
  readonly #address: SocketAddress | undefined
  readonly #server: Server
  #retry: Timer | undefined
  #isClosed = false

  /** @throws SeamarkError BAD_OPTION */
  constructor(options: AdminPagesOptions) {
    const { address, server, logger } = options
    this.#options = options
    this.#address = address === 'off' ? undefined : addressOfFlag(address, '--admin-address')
    this.#server = new Server(() => undefined, {
      clock: systemClock,
      logger: logger.child({ room: 'server' }),
      // What these pages cost is not DNS's; and two servers cannot count in one registry.
      registry: createRegistry(),
      options: server,
      flagOf: () => '--admin-address',
    })
  }

  async start(): Promise<void> {
    const address = this.#address
    if (!address) return
    try {
      await this.#server.converge([], adminPages(address, this.#options.pages))
    } catch (error) {
      if (this.#options.isAsked || !(error instanceof SeamarkError)) throw error
      if (!this.#retry)
        this.#options.logger.warn({ reason: error.message }, 'no admin pages while the address is taken')
      this.#retry = systemClock.after(RETRY, () => void this.#again())
    }
  }

  /** What is bound: `admin`, where it is. */
  addresses(): Readonly<Record<string, string>> {
    const [bound] = this.#server.addresses().http.values()
    return bound ? { admin: formatAddress(reachableAddress(bound)) } : {}
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.cancel()
    await this.#server.close()
  }

  async #again(): Promise<void> {
    if (!this.#isClosed) await this.start()
  }
}
