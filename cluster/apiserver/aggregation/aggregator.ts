/**
 * The aggregation layer (kubernetes.io, "Kubernetes API Aggregation Layer"): APIServices say which versions of groups other servers serve. Those are
 * looked after (is it there, what has it), told of in discovery, and get the requests for their paths.
 *
 * Promised: an APIService counts for every request that comes after its write was answered; a server that is away takes
 * nothing from the others.
 */
import { ServerResponse } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import {
  type ApiServiceCondition,
  type ApiServiceSpec,
  apiServiceSpec,
  availableCondition,
} from '#cluster/api/aggregation/api-service.ts'
import { apiServiceKind } from '#cluster/api/kinds/api-service.ts'
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type RemoteSwagger, readRemoteSwagger } from '#cluster/api/openapi/merge-swagger.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { failure, type Status } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { LocalClient } from '../client.ts'
import type { GroupVersion } from '../discovery/documents.ts'
import type { Request, Response } from '../http/exchange.ts'
import { isUpgrade } from '../http/upgrade.ts'
import { AnswerTimeout, type ExtensionEnvironment, ExtensionServer, type Passed } from './extension-server.ts'
import type { JoinedSockets } from './joined-sockets.ts'
import { readResources } from './remote-resources.ts'

export interface AggregatorEnvironment extends ExtensionEnvironment {
  readonly client: LocalClient
  readonly clock: Clock
  readonly logger: Logger
}

/** Connections: they are used otherwise than for HTTP until they end. */
export type Forwarded = 'answered' | Pick<JoinedSockets, 'ended'>

/** How often a server is asked whether it is still there. */
const INTERVAL: Milliseconds = 30_000
/** What changes together is looked at once. */
const SETTLING: Milliseconds = 100

interface Remote {
  readonly name: string
  readonly spec: ApiServiceSpec
  readonly server: ExtensionServer
  available: boolean
  resources: readonly unknown[]
  /** What the server's own index says of its OpenAPI document. */
  openApi: string | undefined
  /** Its part of OpenAPI v2, the last that made sense. */
  swagger: RemoteSwagger | undefined
  swaggerEtag: string | undefined
  timer: Timer | undefined
  checking: Promise<void> | undefined
}

const keyOf = ({ group = '', version = '' }: ApiServiceSpec): string => `${group}/${version}`

const OPEN_API = '/openapi/v3/'

/** The version that a path is of: `GROUP/VERSION`. */
const versionOfPath = (pathname: string): string | undefined => {
  const path = pathname.startsWith(OPEN_API) ? pathname.slice(OPEN_API.length - 1) : pathname
  const [, root, group, version] = path.split('/')
  return root === 'apis' && group && version ? `${group}/${version}` : undefined
}

type Finding = Pick<ApiServiceCondition, 'status' | 'reason' | 'message'>

const PASSED: Finding = { status: 'True', reason: 'Passed', message: 'all checks passed' }

export class Aggregator {
  readonly #environment: AggregatorEnvironment
  readonly #remotes = new Map<string, Remote>()
  readonly #endings: (() => void)[] = []
  readonly #joined = new Set<JoinedSockets>()
  #versions: readonly GroupVersion[] = []
  #swaggers: readonly RemoteSwagger[] = []
  #closed = false

  constructor(environment: AggregatorEnvironment) {
    this.#environment = environment
  }

  start(): void {
    const { client, cacher } = this.#environment
    for (const { object } of cacher.cache(apiServiceKind).list()) this.#take(object)
    this.#endings.push(
      client.watch(apiServiceKind, ({ object, previous }) => {
        if (object) this.#take(object)
        else if (previous) this.#drop(previous)
      }),
      client.watch(serviceKind, ({ object, previous }) => this.#wakeService((object ?? previous)?.metadata)),
      client.watch(endpointSliceKind, ({ object, previous }) => {
        const { namespace = '', labels = {} } = (object ?? previous)?.metadata ?? {}
        this.#wakeService({ namespace, name: labels['kubernetes.io/service-name'] ?? '' })
      }),
    )
  }

  close(): void {
    this.#closed = true
    for (const end of this.#endings) end()
    for (const remote of this.#remotes.values()) {
      this.#retire(remote)
      remote.server.close()
    }
    for (const joined of this.#joined) joined.destroy()
    this.#remotes.clear()
  }

  /** What other servers serve; the same array while nothing changes. */
  get versions(): readonly GroupVersion[] {
    return this.#versions
  }

  /** What other servers add to OpenAPI v2; the same array while nothing changes. */
  get swaggers(): readonly RemoteSwagger[] {
    return this.#swaggers
  }

  /** Place below `/openapi/v3/` → where the document is. */
  openApiIndex(): Readonly<Record<string, { readonly serverRelativeURL: string }>> {
    return Object.fromEntries(
      [...this.#remotes.values()].flatMap(({ spec, openApi }) =>
        openApi === undefined ? [] : [[`apis/${keyOf(spec)}`, { serverRelativeURL: openApi }]],
      ),
    )
  }

  /** Whether another server serves the path. */
  serves(pathname: string): boolean {
    return this.#find(pathname) !== undefined
  }

  /**
   * Passes the request on. Resolves when the answer has gone, with connections that are used otherwise from now on, or
   * with what is to be answered instead.
   */
  async forward(request: Request, response: Response, passed: Passed): Promise<Forwarded | Status> {
    const remote = this.#find(passed.target.pathname)
    if (!remote?.available) return failure(503, 'ServiceUnavailable', 'service unavailable')
    try {
      if (isUpgrade(request) && response instanceof ServerResponse)
        return this.#hold(await remote.server.upgrade(request, response, passed))
      await remote.server.forward(request, response, passed)
      return 'answered'
    } catch (error) {
      if (error instanceof AnswerTimeout)
        return failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout')
      this.#wake(remote, 0)
      return failure(503, 'ServiceUnavailable', `error trying to reach service: ${(error as Error).message}`)
    }
  }

  #hold(joined: JoinedSockets | undefined): Forwarded {
    if (!joined) return 'answered'
    this.#joined.add(joined)
    void joined.ended.then(() => this.#joined.delete(joined))
    if (this.#closed) joined.destroy()
    return joined
  }

  #find(pathname: string): Remote | undefined {
    if (this.#remotes.size === 0) return undefined
    return this.#remotes.get(versionOfPath(pathname) ?? '')
  }

  #take(object: ApiObject): void {
    const spec = apiServiceSpec(object)
    const known = this.#remotes.get(keyOf(spec))
    if (!spec.service) {
      this.#drop(object)
      return
    }
    if (known && JSON.stringify(known.spec) === JSON.stringify(spec)) return
    if (known) this.#retire(known)
    const remote: Remote = {
      name: object.metadata.name ?? '',
      spec,
      server: new ExtensionServer(spec, this.#environment),
      available: availableCondition(object)?.status === 'True',
      resources: known?.resources ?? [],
      openApi: known?.openApi,
      swagger: known?.swagger,
      swaggerEtag: undefined,
      timer: undefined,
      checking: undefined,
    }
    this.#remotes.set(keyOf(spec), remote)
    this.#publish()
    this.#wake(remote, 0)
  }

  #drop(object: ApiObject): void {
    const key = keyOf(apiServiceSpec(object))
    const remote = this.#remotes.get(key)
    if (!remote) return
    this.#retire(remote)
    this.#remotes.delete(key)
    this.#publish()
  }

  /** What it answers already, watches among it, goes on. */
  #retire(remote: Remote): void {
    remote.timer?.cancel()
    remote.server.retire()
  }

  #wakeService({ namespace = '', name = '' }: { namespace?: string; name?: string } = {}): void {
    for (const remote of this.#remotes.values()) {
      const { service = {} } = remote.spec
      if (service.namespace === namespace && service.name === name) this.#wake(remote, SETTLING)
    }
  }

  #wake(remote: Remote, delay: Milliseconds): void {
    if (this.#closed) return
    remote.timer?.cancel()
    remote.timer = this.#environment.clock.after(delay, () => {
      remote.checking = (remote.checking ?? Promise.resolve()).then(() => this.#look(remote))
    })
  }

  async #look(remote: Remote): Promise<void> {
    if (this.#remotes.get(keyOf(remote.spec)) !== remote) return
    const finding = await this.#check(remote)
    if (this.#closed || this.#remotes.get(keyOf(remote.spec)) !== remote) return
    remote.available = finding.status === 'True'
    this.#publish()
    await this.#tell(remote, finding)
    this.#wake(remote, INTERVAL)
  }

  async #check(remote: Remote): Promise<Finding> {
    const { service = {} } = remote.spec
    const { namespace = '', name = '', port } = service
    const at = `service/${name} in ${JSON.stringify(namespace)}`
    const found = this.#environment.cacher.cache(serviceKind).get(`${namespace}/${name}`)?.object
    if (!found) return { status: 'False', reason: 'ServiceNotFound', message: `${at} is not present` }
    const { type, ports = [] } = (found.spec ?? {}) as { type?: string; ports?: { name?: string; port?: number }[] }
    const listens = ports.find(each => each.port === port)
    if (type !== 'ExternalName' && !listens)
      return { status: 'False', reason: 'ServicePortError', message: `${at} is not listening on port ${port}` }
    if (!remote.server.endpoint().ok) {
      const message = `endpoints for ${at} have no addresses with port name ${JSON.stringify(listens?.name ?? '')}`
      return { status: 'False', reason: 'MissingEndpoints', message }
    }
    return this.#discover(remote)
  }

  async #discover(remote: Remote): Promise<Finding> {
    const { group = '', version = '' } = remote.spec
    const path = `/apis/${group}/${version}`
    try {
      const resources = readResources(await remote.server.document(path), { group, version })
      if (!resources) throw new Error('the answer is no list of resources')
      if (JSON.stringify(resources) !== JSON.stringify(remote.resources)) remote.resources = resources
    } catch (error) {
      const message = `failing or missing response from ${path}: ${(error as Error).message}`
      return { status: 'False', reason: 'FailedDiscoveryCheck', message }
    }
    remote.openApi = await this.#openApiOf(remote)
    await this.#readSwagger(remote)
    return PASSED
  }

  /** A server may have none. */
  async #openApiOf({ server, spec }: Remote): Promise<string | undefined> {
    try {
      const index = await server.document('/openapi/v3')
      const paths = isObject(index) && isObject(index.paths) ? index.paths : {}
      const own = paths[`apis/${keyOf(spec)}`]
      return isObject(own) && typeof own.serverRelativeURL === 'string' ? own.serverRelativeURL : undefined
    } catch {
      return undefined
    }
  }

  /** A server may have none, or make no sense: then what it said before stays. */
  async #readSwagger(remote: Remote): Promise<void> {
    try {
      const read = await remote.server.newerDocument('/openapi/v2', remote.swaggerEtag)
      if (!read) return
      const swagger = readRemoteSwagger(read.value, `/apis/${keyOf(remote.spec)}`)
      remote.swaggerEtag = read.etag
      if (!isDeepStrictEqual(swagger, remote.swagger)) remote.swagger = swagger
    } catch (error) {
      const { logger } = this.#environment
      logger.debug({ apiservice: remote.name, reason: (error as Error).message }, 'no OpenAPI v2 of an extension')
    }
  }

  async #tell(remote: Remote, finding: Finding): Promise<void> {
    const { client, clock, logger } = this.#environment
    const current = await client.get(apiServiceKind, undefined, remote.name)
    const known = current && availableCondition(current)
    if (
      !current ||
      (known?.status === finding.status && known.reason === finding.reason && known.message === finding.message)
    )
      return
    const since = known?.status === finding.status ? known.lastTransitionTime : undefined
    const condition = { type: 'Available', ...finding, lastTransitionTime: since ?? timestamp(clock.now()) }
    const told = await client.update(apiServiceKind, { ...current, status: { conditions: [condition] } }, 'status')
    // 409: its next event comes here.
    if (told.ok || told.problem.code === 409 || told.problem.code === 404) return
    logger.warn({ apiservice: remote.name, reason: told.problem.message }, 'cannot say whether an API is served')
  }

  #publish(): void {
    const versions = [...this.#remotes.values()].map(({ spec, resources, available }): GroupVersion => {
      const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec
      return {
        group,
        version,
        priority: { groupPriorityMinimum, versionPriority },
        kinds: [],
        remote: resources,
        stale: !available,
      }
    })
    const same =
      versions.length === this.#versions.length &&
      versions.every((version, index) => {
        const before = this.#versions[index]!
        return (
          version.group === before.group &&
          version.version === before.version &&
          version.remote === before.remote &&
          version.stale === before.stale &&
          version.priority.groupPriorityMinimum === before.priority.groupPriorityMinimum &&
          version.priority.versionPriority === before.priority.versionPriority
        )
      })
    if (!same) this.#versions = versions
    const swaggers = [...this.#remotes.values()].flatMap(({ swagger }) => swagger ?? [])
    const known = this.#swaggers
    if (swaggers.length !== known.length || swaggers.some((swagger, index) => swagger !== known[index]))
      this.#swaggers = swaggers
  }
}
