/** One HTTP address of the configuration and what is served there. */
import type { SocketAddress } from '#lib/address.ts'
import type { HttpEndpoint } from '#resolver/listener.ts'
import { type AdminEnvironment, AdminListener } from './admin.ts'
import { bindAddresses, isFamilyMissing } from './bind-address.ts'

export class HttpSockets {
  readonly #address: SocketAddress
  readonly #environment: AdminEnvironment
  #endpoints: readonly HttpEndpoint[] = []
  #listeners: AdminListener[] = []
  /** Once open, the port that it has; opened again, it asks for the same. */
  #port: number

  constructor(address: SocketAddress, environment: AdminEnvironment) {
    this.#address = address
    this.#port = address.port
    this.#environment = environment
  }

  get bound(): SocketAddress {
    return { host: this.#address.host, port: this.#port }
  }

  /** What is served from now on. */
  serve(endpoints: readonly HttpEndpoint[]): void {
    this.#endpoints = endpoints
    for (const listener of this.#listeners) listener.serve(endpoints)
  }

  /** Rejects with the system's error, with nothing left open. */
  async open(joins: boolean): Promise<void> {
    const addresses = await bindAddresses(this.#address.host)
    for (const address of addresses) {
      const listener = new AdminListener(address, this.#environment)
      listener.serve(this.#endpoints)
      try {
        this.#port = await listener.open(this.#port, joins)
        this.#listeners.push(listener)
      } catch (error) {
        if (this.#listeners.length > 0 && isFamilyMissing(error)) continue
        await this.close()
        throw error
      }
    }
  }

  async close(): Promise<void> {
    const listeners = this.#listeners
    this.#listeners = []
    await Promise.all(listeners.map(listener => listener.close()))
  }
}
