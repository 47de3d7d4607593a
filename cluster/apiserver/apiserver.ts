/**
 * The apiserver: store → memory → HTTPS. Data flows from the store's watch through one cache per kind to the watchers;
 * writes go the other way and are answered when their events are out.
 *
 * Promised: when `start` resolves, everything stored is in memory, the port is open, and the first objects exist. By
 * the time a write is answered with a 2xx, its events have been written to every watch stream but those for which a
 * webhook has to convert them first.
 */

import { componentStatusKind } from '#cluster/api/component-status.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { customResourceDefinitionKind } from '#cluster/api/kinds/custom-resource-definition.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { REVIEWS } from '#cluster/api/reviews.ts'
import type { Pki } from '#cluster/pki/pki.ts'
import { servingNames } from '#cluster/pki/serving-names.ts'
import type { Store } from '#cluster/store/kv.ts'
import { formatAddress, type SocketAddress } from '#lib/address.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry as MetricsRegistry } from '#lib/metrics.ts'
import type { OptionValues } from '#lib/options.ts'
import type { Random } from '#lib/random.ts'
import { Aggregation } from './aggregation/aggregation.ts'
import { createLocalClient, type LocalClient } from './client.ts'
import { startCompaction } from './compaction.ts'
import { createComponentRoute } from './component-statuses.ts'
import { type GroupVersion, groupVersions } from './discovery/documents.ts'
import { createOpenApiRoute } from './discovery/openapi-routes.ts'
import { createDiscoveryRoutes } from './discovery/routes.ts'
import { createSwaggerRoute } from './discovery/swagger-routes.ts'
import { versionDocument } from './discovery/version.ts'
import { Definitions } from './extensions/definitions.ts'
import { createGates, type Gates } from './gates.ts'
import { answerHealth, type HealthCheck, healthPaths } from './health.ts'
import { ActionRoutes } from './http/action-routes.ts'
import { jsonAnswer } from './http/exchange.ts'
import { FairQueue } from './http/fair-queue.ts'
import { Handler, type PathRoute } from './http/handler.ts'
import { WatchRoutes } from './http/read-routes.ts'
import { ApiHttpServer } from './http/server.ts'
import { MetadataFeed } from './metadata-feed.ts'
import { type ApiserverMetrics, createApiserverMetrics } from './metrics.ts'
import type { APISERVER_OPTIONS } from './options.ts'
import { createPlanners } from './planners/index.ts'
import { Registry } from './registry.ts'
import { Cacher } from './storage/cacher.ts'
import { TokenIssuer } from './tokens/token-issuer.ts'
import { TOKEN_PATHS, tokenRoutes } from './tokens/token-routes.ts'
import { WebhookClients } from './webhook/webhook-clients.ts'

export interface ApiserverOptions extends OptionValues<typeof APISERVER_OPTIONS> {
  /** Port 0: any free one. */
  readonly address: SocketAddress
  /** `cluster.local`: for the names in the certificate. */
  readonly clusterDomain: string
  /** Address of the Service `kubernetes` (10.96.0.1), and what else the certificate shall be good for. */
  readonly certificateAddresses: readonly string[]
}

export interface ApiserverEnvironment {
  /** The caller's to close, after the apiserver. */
  readonly store: Store
  readonly pki: Pki
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: MetricsRegistry
  /** What it serves. Default: every kind that is built in. */
  readonly kinds?: readonly Kind[]
  /** Runs once, when the port is open and before the server calls itself ready: what makes the first objects. */
  readonly bootstrap?: (client: LocalClient, address: SocketAddress) => Promise<void>
}

export interface Apiserver extends Component {
  /** The bound address, from `start` on. */
  readonly address: SocketAddress
  /** From `start` on. */
  readonly client: LocalClient
  /** From `start` on. */
  readonly metadata: MetadataFeed
}

/** Node ports, as kube-apiserver's --service-node-port-range. */
const NODE_PORTS = { first: 30_000, last: 32_767 }

const checkOf = (checks: readonly HealthCheck[], name: string): HealthCheck['problem'] =>
  checks.find(check => check.name === name)?.problem ?? (() => 'nobody looks after it')

const BUILT_IN = [componentStatusKind, ...KINDS, ...REVIEWS]

class RunningApiserver implements Apiserver {
  readonly name = 'apiserver'
  readonly #options: ApiserverOptions
  readonly #environment: ApiserverEnvironment
  readonly #cacher: Cacher
  readonly #registry: Registry
  readonly #watches: WatchRoutes
  readonly #definitions: Definitions
  readonly #webhooks: WebhookClients
  #served: { readonly custom: readonly Kind[]; readonly versions: readonly GroupVersion[] } | undefined
  readonly #metrics: ApiserverMetrics
  readonly client: LocalClient
  readonly metadata: MetadataFeed
  #address: SocketAddress
  #server: ApiHttpServer | undefined
  #stopCompaction: (() => void) | undefined
  #renewal: Timer | undefined
  #gates: Gates | undefined
  #aggregation: Aggregation | undefined
  #state: 'starting' | 'ready' | 'closing' = 'starting'

  constructor(options: ApiserverOptions, environment: ApiserverEnvironment) {
    this.#options = options
    this.#environment = environment
    this.#address = options.address
    const { store, clock, random, logger, kinds = KINDS } = environment
    const planners = createPlanners({ random, nodePorts: NODE_PORTS })
    const records = planners.flatMap(planner => planner.records ?? [])
    this.#cacher = new Cacher({
      store,
      clock,
      logger,
      kinds: [...kinds, ...records],
      historySize: options.historySize,
    })
    this.#registry = new Registry({ store, cacher: this.#cacher, kinds, planners, clock, random })
    this.#metrics = createApiserverMetrics(environment.registry)
    this.#watches = new WatchRoutes(this.#metrics)
    this.client = createLocalClient(this.#registry)
    this.metadata = new MetadataFeed(this.#registry)
    this.#webhooks = new WebhookClients({ cacher: this.#cacher, random })
    this.#definitions = new Definitions({
      registry: this.#registry,
      client: this.client,
      webhooks: this.#webhooks,
      logger,
    })
  }

  get address(): SocketAddress {
    return this.#address
  }

  async start(signal: AbortSignal): Promise<void> {
    const { store, clock, logger, bootstrap } = this.#environment
    await this.#cacher.start()
    if (this.#registry.find(customResourceDefinitionKind)) await this.#definitions.start()
    if (signal.aborted) return
    this.#server = await this.#createServer()
    this.#address = await this.#server.listen()
    logger.info({ address: formatAddress(this.#address) }, 'the API is served')
    await bootstrap?.(this.client, this.#address)
    if (bootstrap) await this.#aggregation?.register(this.#environment.pki.authority)
    this.#stopCompaction = startCompaction({ store, clock, logger, interval: this.#options.compactionInterval })
    if (this.#state === 'starting') this.#state = 'ready'
  }

  async close(): Promise<void> {
    this.#state = 'closing'
    this.#stopCompaction?.()
    this.#renewal?.cancel()
    this.#watches.close()
    this.#definitions.close()
    await this.#aggregation?.close()
    this.#gates?.close()
    this.#webhooks.close()
    await this.#server?.close()
    this.#cacher.close()
  }

  async #createServer(): Promise<ApiHttpServer> {
    const { pki, clock, logger } = this.#environment
    const { address, clusterDomain, certificateAddresses } = this.#options
    const names = servingNames({ clusterDomain, serviceAddresses: certificateAddresses, addresses: [address.host] })
    const { certificate, key, renewal } = await pki.serving(names)
    this.#renewAt(renewal, names)
    const issuer = new TokenIssuer({
      issuer: `https://kubernetes.default.svc.${clusterDomain}`,
      key: await pki.serviceAccountKey(),
      clock,
    })
    this.#aggregation = new Aggregation({
      registry: this.#registry,
      client: this.client,
      clock,
      logger,
      frontProxy: await pki.frontProxy(),
      local: () => this.#versions(),
    })
    this.#aggregation.start()
    const handler = this.#createHandler(issuer, this.#aggregation)
    return new ApiHttpServer({
      address,
      certificate,
      key,
      clientAuthority: pki.authority,
      clock,
      handle: (request, response) => void handler.handle(request, response),
      upgrades: request => handler.upgrades(request),
    })
  }

  #renewAt(time: number, names: readonly string[]): void {
    const { clock, pki, logger } = this.#environment
    // Timers of Node hold at most 24 days; looking in once a day is all the same.
    const delay = Math.min(Math.max(time - clock.now(), 60_000), 86_400_000)
    this.#renewal = clock.after(delay, () => {
      const renewed = pki.serving(names).then(serving => {
        this.#server?.renew(serving)
        this.#renewAt(serving.renewal, names)
      })
      renewed.catch(error => {
        logger.error({ error }, 'cannot renew the certificate of the apiserver')
        this.#renewAt(time, names)
      })
    })
  }

  #createHandler(issuer: TokenIssuer, aggregation: Aggregation): Handler {
    const { clock, logger } = this.#environment
    const checks = this.#healthChecks()
    const discovery = createDiscoveryRoutes(
      () => aggregation.versions,
      () => formatAddress(this.#address),
    )
    this.#gates = createGates(this.#registry, {
      clock,
      logger,
      metrics: this.#environment.registry,
      clients: this.#webhooks,
      issuer,
      authority: this.#environment.pki.authority,
      options: this.#options,
    })
    const { authenticators, decide, actions } = this.#gates
    const { maxRequestsInflight, maxMutatingRequestsInflight } = this.#options
    return new Handler({
      registry: this.#registry,
      authenticators,
      decide,
      actions: new ActionRoutes(this.#registry, actions),
      discovery,
      remote: aggregation.remote,
      pathRoutes: [...this.#pathRoutes(checks, aggregation), tokenRoutes(issuer, () => formatAddress(this.#address))],
      paths: () =>
        [
          ...discovery.paths(),
          ...healthPaths(checks),
          ...TOKEN_PATHS,
          '/metrics',
          '/openapi/v2',
          '/openapi/v3',
          '/version',
        ].sort(),
      watches: this.#watches,
      queues: {
        readOnly: new FairQueue({ limit: maxRequestsInflight, clock }),
        mutating: new FairQueue({ limit: maxMutatingRequestsInflight, clock }),
      },
      metrics: this.#metrics,
      clock,
      logger,
    })
  }

  /** What is served here: the same array while nothing changes. */
  #versions(): readonly GroupVersion[] {
    const custom = this.#definitions.kinds
    if (this.#served?.custom !== custom) this.#served = { custom, versions: groupVersions([...BUILT_IN, ...custom]) }
    return this.#served.versions
  }

  #healthChecks(): readonly HealthCheck[] {
    const when = (holds: () => boolean, reason: string) => () => (holds() ? undefined : reason)
    return [
      { name: 'ping', problem: () => undefined },
      { name: 'etcd', problem: when(() => this.#cacher.healthy, 'the watch on the store has ended') },
      {
        name: 'poststarthook/bootstrap',
        problem: when(() => this.#state !== 'starting', 'the first objects are being made'),
      },
      {
        name: 'shutdown',
        readinessOnly: true,
        problem: when(() => this.#state !== 'closing', 'process is shutting down'),
      },
    ]
  }

  #pathRoutes(checks: readonly HealthCheck[], aggregation: Aggregation): readonly PathRoute[] {
    const { registry } = this.#environment
    return [
      (pathname, _request, query) => answerHealth(checks, pathname, query),
      createOpenApiRoute(
        () => this.#definitions.kinds,
        () => aggregation.remote.openApiIndex(),
      ),
      createSwaggerRoute(
        () => this.#definitions.kinds,
        () => aggregation.remote.swaggers,
      ),
      createComponentRoute(this.#registry, { 'etcd-0': checkOf(checks, 'etcd') }),
      pathname => (pathname === '/version' ? jsonAnswer(JSON.stringify(versionDocument(), undefined, 2)) : undefined),
      pathname =>
        pathname === '/metrics'
          ? registry.metrics().then(body => ({ code: 200, body, contentType: registry.contentType }))
          : undefined,
    ]
  }
}

/** @throws SeamarkError from `start`: ADDRESS_…, DATA_DIR_UNUSABLE */
export const createApiserver = (options: ApiserverOptions, environment: ApiserverEnvironment): Apiserver =>
  new RunningApiserver(options, environment)
