/** The aggregation layer as a whole: versions that other servers serve, and the APIServices of those served here. */
import { apiServiceKind } from '#cluster/api/kinds/api-service.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import type { FrontProxy } from '#cluster/pki/front-proxy.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { ensure, own } from '../bootstrap/ensure.ts'
import type { LocalClient } from '../client.ts'
import type { GroupVersion } from '../discovery/documents.ts'
import type { Registry } from '../registry.ts'
import { Aggregator } from './aggregator.ts'
import { extensionAuthentication } from './extension-authentication.ts'
import { Registrar } from './registrar.ts'

export interface AggregationEnvironment {
  readonly registry: Registry
  readonly client: LocalClient
  readonly clock: Clock
  readonly logger: Logger
  readonly frontProxy: FrontProxy
  /** What is served here now; the same array while nothing changes. */
  readonly local: () => readonly GroupVersion[]
}

export class Aggregation {
  readonly #environment: AggregationEnvironment
  readonly #aggregator: Aggregator
  readonly #registrar: Registrar
  #merged: { readonly local: unknown; readonly remote: unknown; readonly versions: readonly GroupVersion[] } | undefined

  constructor(environment: AggregationEnvironment) {
    const { registry, local, ...rest } = environment
    const { cacher, random } = registry
    this.#environment = environment
    this.#aggregator = new Aggregator({ ...rest, cacher, random })
    this.#registrar = new Registrar({ ...rest, served: local })
  }

  /** Requests may come from now on. */
  start(): void {
    if (this.#environment.registry.find(apiServiceKind)) this.#aggregator.start()
  }

  /** Resolves when clients and extension servers find what they look for. `authority`: PEM of the CA of clients. */
  async register(authority: string): Promise<void> {
    const { registry, client, frontProxy, logger } = this.#environment
    if (!registry.find(apiServiceKind)) return
    const wanted = extensionAuthentication(authority, frontProxy)
    const [told] = await Promise.all([ensure(client, configMapKind, wanted, own('data')), this.#registrar.start()])
    if (!told.ok) logger.error({ reason: told.problem.message }, 'cannot tell extension servers whom to believe')
  }

  async close(): Promise<void> {
    this.#aggregator.close()
    await this.#registrar.close()
  }

  /** Of this server and of others; the same array while nothing changes. */
  get versions(): readonly GroupVersion[] {
    const local = this.#environment.local()
    const remote = this.#aggregator.versions
    if (this.#merged?.local !== local || this.#merged.remote !== remote) {
      const elsewhere = new Set(remote.map(({ group, version }) => `${group}/${version}`))
      const here = local.filter(({ group, version }) => !elsewhere.has(`${group}/${version}`))
      this.#merged = { local, remote, versions: [...here, ...remote] }
    }
    return this.#merged.versions
  }

  get remote(): Aggregator {
    return this.#aggregator
  }
}
