/**
 * The way of each request: who asks, as whom, may they, which route, one answer. Failures of ours are caught here, once: they
 * are logged and become a 500 that says nothing about the inside.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { failure, internalError, type Status } from '#cluster/api/status.ts'
import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import { type Result, refused } from '#lib/result.ts'
import type { Action } from '../action.ts'
import type { Aggregator, Forwarded } from '../aggregation/aggregator.ts'
import { isLongRunning } from '../aggregation/long-running.ts'
import { ANONYMOUS, type Authenticator, authenticate, MASTERS, UNAUTHENTICATED, type User } from '../authenticator.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import type { DiscoveryRoutes } from '../discovery/routes.ts'
import { isHealthPath } from '../health.ts'
import { impersonate } from '../impersonation.ts'
import type { ApiserverMetrics } from '../metrics.ts'
import type { Registry, Resource } from '../registry.ts'
import { ABSENT_RESOURCE } from './absent.ts'
import type { ActionRoutes } from './action-routes.ts'
import {
  type Answer,
  headerOf,
  isGone,
  jsonAnswer,
  pageNotFound,
  type Request,
  type Response,
  send,
  statusAnswer,
} from './exchange.ts'
import type { FairQueue } from './fair-queue.ts'
import { forbiddenRequest } from './forbidden.ts'
import { prettyAnswer, wantsPretty } from './pretty.ts'
import type { WatchRoutes } from './read-routes.ts'
import { requestAttributes, verbOf } from './request-attributes.ts'
import { isDecodable, parseResourcePath, type ResourcePath } from './request-info.ts'
import { answerResource, findResource, hasPart, type ResourceRequest } from './resource-routes.ts'
import { asksForWebsocket } from './upgrade.ts'

/** Answers a path that is no resource's; undefined: not mine. */
export type PathRoute = (
  pathname: string,
  request: Request,
  query: URLSearchParams,
) => Promise<Answer> | Answer | undefined

export interface HandlerOptions {
  readonly registry: Registry
  readonly authenticators: readonly Authenticator[]
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly actions: ActionRoutes
  readonly discovery: DiscoveryRoutes
  /** Versions that other servers serve. */
  readonly remote: Aggregator
  readonly pathRoutes: readonly PathRoute[]
  /** What `/` lists. */
  readonly paths: () => readonly string[]
  readonly watches: WatchRoutes
  /** For more requests than are answered at a time. */
  readonly queues: Readonly<Record<'readOnly' | 'mutating', FairQueue>>
  readonly metrics: ApiserverMetrics
  readonly clock: Clock
  readonly logger: Logger
}

/** Who asks without a credential. Nobody but health checks does. */
const NOBODY: User = { name: ANONYMOUS, groups: [UNAUTHENTICATED] }

interface Asked {
  readonly method: string
  readonly pathname: string
  readonly search: string
  readonly query: URLSearchParams
  /** Undefined: the path is no resource's. */
  readonly path: ResourcePath | undefined
  /** Undefined: nothing that is stored is served at the path. */
  readonly resource: ResourceRequest | undefined
  readonly action: Action | undefined
  /** Whether another server is asked. */
  readonly remote: boolean
  /** Whether it may take as long as it likes. */
  readonly longRunning: boolean
}

/** Streamed, upgraded: all of it has gone. Connections: they are used otherwise until they end. */
type Outcome = Answer | 'streamed' | 'upgraded' | Exclude<Forwarded, 'answered'>

const scopeOf = ({ name, namespace }: ResourcePath): string => {
  if (name !== undefined) return 'resource'
  return namespace === undefined ? 'cluster' : 'namespace'
}

/** Of HTTP, and of Kubernetes; over HTTP/2 a client may call its method anything. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])

/** Names that clients make up are no labels: whoever may knock could else fill the memory with series. */
const labelsOf = ({ method, resource, action, path, query }: Asked) => {
  const served = action || (resource && hasPart(resource)) ? path : undefined
  const verb = (served && verbOf(method, served, query)) ?? (METHODS.has(method) ? method : 'other')
  return {
    verb: verb.toUpperCase(),
    group: served?.group ?? '',
    version: served?.version ?? '',
    resource: served?.resource ?? '',
    subresource: served?.subresource ?? '',
    scope: served ? scopeOf(served) : '',
    dry_run: query.getAll('dryRun').includes('All') ? 'All' : '',
    component: 'apiserver',
  }
}

const longRunningLabels = (asked: Asked) => {
  const { dry_run: _dryRun, ...labels } = labelsOf(asked)
  return labels
}

const kindOf = (method: string): keyof HandlerOptions['queues'] =>
  method === 'GET' || method === 'HEAD' ? 'readOnly' : 'mutating'

const TOO_MANY = failure(429, 'TooManyRequests', 'too many requests, please try again later', { retryAfterSeconds: 1 })

export class Handler {
  readonly #options: HandlerOptions

  constructor(options: HandlerOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async handle(request: Request, response: Response): Promise<void> {
    const { logger } = this.#options
    const id = headerOf(request, 'audit-id') ?? randomUUID()
    // A client that goes away is no failure of ours.
    request.on('error', () => {})
    response.on('error', () => {})
    try {
      response.setHeader('audit-id', id)
      response.setHeader('cache-control', 'no-cache, private')
      await this.#serve(request, response)
    } catch (error) {
      if (isGone(response)) return
      const closing = error instanceof SeamarkError && error.code === 'STORE_CLOSED'
      if (!closing) logger.error({ error, id, method: request.method, url: request.url }, 'request failed')
      const status = closing
        ? failure(503, 'ServiceUnavailable', 'the apiserver is shutting down')
        : internalError('see the log of the apiserver')
      if (response.headersSent) response.destroy()
      else await send(request, response, statusAnswer(status)).catch(() => {})
    }
  }

  /**
   * Whether the client's connection may be used otherwise: by another server, or for a watch over a websocket. A request
   * with a body stays one.
   */
  upgrades(request: IncomingMessage): boolean {
    const { method, url = '/', headers } = request
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) return false
    const { pathname, searchParams: query } = parseUrl(url) ?? {}
    if (pathname === undefined || query === undefined) return false
    if (this.#options.remote.serves(pathname)) return true
    const path = method === 'GET' && asksForWebsocket(request) ? parseResourcePath(pathname) : undefined
    return path !== undefined && verbOf('GET', path, query) === 'watch'
  }

  async #serve(request: Request, response: Response): Promise<void> {
    const url = parseUrl(request.url ?? '/')
    if (!url) return send(request, response, statusAnswer(failure(400, 'BadRequest', 'the request has no valid path')))
    const { pathname, search, searchParams: query } = url
    const method = request.method ?? 'GET'
    const path = parseResourcePath(pathname)
    const remote = this.#options.remote.serves(pathname)
    const own = path && !path.onlyElsewhere && !remote ? path : undefined
    const action = own && this.#options.actions.find(own)
    const resource = own && !action ? findResource(this.#options.registry, own, { method, query }) : undefined
    const longRunning = remote ? isLongRunning(pathname, query) : resource?.verb === 'watch'
    const asked: Asked = { method, pathname, search, query, path, resource, action, remote, longRunning }
    const { metrics, clock } = this.#options
    const labels = labelsOf(asked)
    const inFlight = longRunning
      ? metrics.longRunning.child(longRunningLabels(asked))
      : metrics.inFlight[kindOf(method)]
    const start = clock.monotonic()
    inFlight.inc()
    let code = 200
    try {
      const answer = await this.#answer(asked, request, response)
      if (answer === 'streamed') return
      if (answer === 'upgraded') {
        code = 101
        return
      }
      if ('ended' in answer) {
        code = 101
        return this.#countUntil(answer.ended, asked)
      }
      code = answer.code
      await send(request, response, wantsPretty(request, query) ? prettyAnswer(answer, pathname) : answer)
    } catch (error) {
      code = 500
      throw error
    } finally {
      inFlight.dec()
      metrics.answers.add(labels, code, longRunning ? undefined : (clock.monotonic() - start) / 1000)
    }
  }

  #countUntil(ended: Promise<void>, asked: Asked): void {
    const open = this.#options.metrics.longRunning.child(longRunningLabels(asked))
    open.inc()
    void ended.then(() => open.dec())
  }

  async #answer(asked: Asked, request: Request, response: Response): Promise<Outcome> {
    const accept = headerOf(request, 'accept')
    const admitted = await this.#admit(asked, request)
    if (!admitted.ok) return statusAnswer(admitted.problem, accept)
    const user = admitted.value
    const queue = this.#queueFor(asked, user)
    if (!queue) return this.#answerTo(user, asked, request, response)
    if ((await queue.enter(user.name)) !== 'entered') {
      this.#options.metrics.terminations.inc({ ...longRunningLabels(asked), code: 429 })
      return statusAnswer(TOO_MANY, accept)
    }
    try {
      return await this.#answerTo(user, asked, request, response)
    } finally {
      queue.leave()
    }
  }

  /** Undefined: the request waits for nobody. */
  #queueFor({ method, pathname, longRunning }: Asked, { groups }: User): FairQueue | undefined {
    // As in Kubernetes: its owners get through to a cluster that is overrun, and watches stay.
    if (groups.includes(MASTERS) || longRunning || isHealthPath(pathname)) return undefined
    return this.#options.queues[kindOf(method)]
  }

  async #answerTo(user: User, asked: Asked, request: Request, response: Response): Promise<Outcome> {
    const { registry, watches, actions } = this.#options
    const accept = headerOf(request, 'accept')
    const { method, pathname, query, path, resource, action, remote } = asked
    if (remote) {
      const forwarded = await this.#options.remote.forward(request, response, { target: asked, user })
      if (forwarded === 'answered') return 'streamed'
      return 'ended' in forwarded ? forwarded : statusAnswer(forwarded, accept)
    }
    if (action && path) return actions.answer(action, { request, path, query, user })
    if (resource) {
      const refuseCreate = () => this.#refusal({ ...requestAttributes(user, asked), verb: 'create' })
      return answerResource(resource, { registry, request, response, query, watches, user, refuseCreate })
    }
    const discovered = this.#options.discovery.answer(pathname, request)
    if (discovered) return readOnly(method, discovered, accept)
    for (const route of this.#options.pathRoutes) {
      const answer = route(pathname, request, query)
      if (answer) return readOnly(method, await answer, accept)
    }
    const isBuiltIn = ({ kind }: Resource) => kind.group === path?.group && !kind.namesItems
    if (registry.resources.some(isBuiltIn)) return statusAnswer(ABSENT_RESOURCE, accept)
    if (pathname.startsWith('/api/') || pathname.startsWith('/apis/')) return pageNotFound()
    const paths = JSON.stringify({ paths: this.#options.paths() })
    return jsonAnswer(paths, { code: pathname === '/' ? 200 : 404 })
  }

  /** Who the request is answered as. Refused: 401 for nobody, 403 for who may not. */
  async #admit(asked: Asked, request: Request): Promise<Result<User, Status>> {
    const { authenticators, decide } = this.#options
    const identified = await authenticate(authenticators, request)
    if (identified === 'none' && !isAnonymousHealthCheck(asked, request))
      return refused(failure(401, 'Unauthorized', 'Unauthorized'))
    const user = await impersonate(identified === 'none' ? NOBODY : identified, request, decide)
    if (!user.ok) return user
    const forbidden = await this.#refusal(requestAttributes(user.value, asked))
    return forbidden ? refused(forbidden) : user
  }

  /** Undefined: allowed. */
  async #refusal(attributes: Attributes): Promise<Status | undefined> {
    const verdict = await this.#options.decide(attributes)
    return verdict.decision === 'allow' ? undefined : forbiddenRequest(attributes, verdict.reason)
  }
}

/** A credential that is no good is told so, whatever it is shown for. */
const isAnonymousHealthCheck = ({ pathname }: Asked, request: Request): boolean =>
  isHealthPath(pathname) && headerOf(request, 'authorization') === undefined

const readOnly = (method: string, answer: Answer, accept: string | undefined): Answer =>
  method === 'GET' || method === 'HEAD'
    ? answer
    : statusAnswer(
        failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
        accept,
      )

/** A path that is its own normal form, and no query: what most requests name. */
const PLAIN = /^(?:\/[\w-][\w.:-]*)+$/

/** The base stands in for the host, which no route looks at. */
const parseUrl = (target: string): Pick<URL, 'pathname' | 'search' | 'searchParams'> | undefined => {
  if (PLAIN.test(target)) return { pathname: target, search: '', searchParams: new URLSearchParams() }
  const url = URL.parse(target.replace(/^\/+/, '/'), 'https://apiserver') ?? undefined
  return url && isDecodable(url.pathname) ? url : undefined
}
