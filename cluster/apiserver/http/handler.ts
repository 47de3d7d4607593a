/**
 * The way of each request: who asks, may they, which route, one answer. Failures of ours are caught here, once: they
 * are logged and become a 500 that says nothing about the inside.
 */
import { randomUUID } from 'node:crypto'
import { failure, internalError } from '#cluster/api/status.ts'
import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import { type Authenticator, authenticate, type User } from '../authenticator.ts'
import { type Attributes, type Authorizer, isAllowed } from '../authorizer.ts'
import type { DiscoveryRoutes } from '../discovery/routes.ts'
import type { ApiserverMetrics } from '../metrics.ts'
import type { Registry } from '../registry.ts'
import { absentPath } from './absent.ts'
import {
  type Answer,
  headerOf,
  jsonAnswer,
  pageNotFound,
  type Request,
  type Response,
  send,
  statusAnswer,
} from './exchange.ts'
import type { WatchRoutes } from './read-routes.ts'
import { parseResourcePath } from './request-info.ts'
import { answerResource, findResource, type ResourceRequest } from './resource-routes.ts'

/** Answers a path that is no resource's; undefined: not mine. */
export type PathRoute = (
  pathname: string,
  request: Request,
  query: URLSearchParams,
) => Promise<Answer> | Answer | undefined

export interface HandlerOptions {
  readonly registry: Registry
  readonly authenticators: readonly Authenticator[]
  readonly authorizers: readonly Authorizer[]
  readonly discovery: DiscoveryRoutes
  readonly pathRoutes: readonly PathRoute[]
  /** What `/` lists. */
  readonly paths: readonly string[]
  readonly watches: WatchRoutes
  readonly metrics: ApiserverMetrics
  readonly clock: Clock
  readonly logger: Logger
}

/** Open to everyone, as in Kubernetes: what load balancers and clients ask before they have credentials. */
const PUBLIC = /^\/(?:healthz|livez|readyz|version)(?:\/|$)/

interface Asked {
  readonly method: string
  readonly pathname: string
  readonly query: URLSearchParams
  readonly resource: ResourceRequest | undefined
}

const attributesOf = (user: User, { method, pathname, resource }: Asked): Attributes => {
  if (!resource) return { user, verb: method.toLowerCase(), path: pathname }
  const { group, version, resource: plural, subresource, namespace, name } = resource.path
  return {
    user,
    verb: resource.verb ?? method.toLowerCase(),
    path: pathname,
    resource: { group, version, resource: plural, subresource, namespace, name },
  }
}

const scopeOf = ({ path }: ResourceRequest): string => {
  if (path.name !== undefined) return 'resource'
  return path.namespace === undefined ? 'cluster' : 'namespace'
}

const labelsOf = ({ method, resource, query }: Asked) => ({
  verb: resource?.verb === 'deletecollection' ? 'DELETECOLLECTION' : (resource?.verb ?? method).toUpperCase(),
  group: resource?.path.group ?? '',
  version: resource?.path.version ?? '',
  resource: resource?.path.resource ?? '',
  subresource: resource?.path.subresource ?? '',
  scope: resource ? scopeOf(resource) : '',
  dry_run: query.getAll('dryRun').includes('All') ? 'All' : '',
  component: 'apiserver',
})

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
      if (response.destroyed) return
      const closing = error instanceof SeamarkError && error.code === 'STORE_CLOSED'
      if (!closing) logger.error({ error, id, method: request.method, url: request.url }, 'request failed')
      const status = closing
        ? failure(503, 'ServiceUnavailable', 'the apiserver is shutting down')
        : internalError('see the log of the apiserver')
      if (response.headersSent) response.destroy()
      else await send(request, response, statusAnswer(status)).catch(() => {})
    }
  }

  async #serve(request: Request, response: Response): Promise<void> {
    const url = parseUrl(request.url ?? '/')
    if (!url) return send(request, response, statusAnswer(failure(400, 'BadRequest', 'the request has no valid path')))
    const { pathname, searchParams: query } = url
    const method = request.method ?? 'GET'
    const path = parseResourcePath(pathname)
    const resource = path && findResource(this.#options.registry, path, { method, query })
    const asked: Asked = { method, pathname, query, resource }
    const { metrics, clock } = this.#options
    const labels = labelsOf(asked)
    const { dry_run: _dryRun, ...longLabels } = labels
    const watching = resource?.verb === 'watch'
    const kind = { request_kind: method === 'GET' || method === 'HEAD' ? 'readOnly' : 'mutating' }
    const start = clock.monotonic()
    if (watching) metrics.longRunning.inc(longLabels)
    else metrics.inFlight.inc(kind)
    let code = 200
    try {
      const answer = await this.#answer(asked, request, response)
      if (answer === 'streamed') return
      code = answer.code
      await send(request, response, answer)
    } catch (error) {
      code = 500
      throw error
    } finally {
      if (watching) metrics.longRunning.dec(longLabels)
      else metrics.inFlight.dec(kind)
      metrics.requests.inc({ ...labels, code })
      if (!watching) metrics.durations.observe(labels, (clock.monotonic() - start) / 1000)
    }
  }

  async #answer(asked: Asked, request: Request, response: Response): Promise<Answer | 'streamed'> {
    const { registry, watches } = this.#options
    const accept = headerOf(request, 'accept')
    const refusal = PUBLIC.test(asked.pathname) ? undefined : this.#admit(asked, request)
    if (refusal) return refusal
    if (asked.resource)
      return answerResource(asked.resource, { registry, request, response, query: asked.query, watches })
    const { method, pathname, query } = asked
    const discovered = this.#options.discovery.answer(pathname, request)
    if (discovered) return readOnly(method, discovered, accept)
    for (const route of this.#options.pathRoutes) {
      const answer = route(pathname, request, query)
      if (answer) return readOnly(method, await answer, accept)
    }
    const absent = absentPath(pathname)
    if (absent) return statusAnswer(absent, accept)
    if (pathname.startsWith('/api/') || pathname.startsWith('/apis/')) return pageNotFound()
    const paths = JSON.stringify({ paths: this.#options.paths })
    return jsonAnswer(paths, { code: pathname === '/' ? 200 : 404 })
  }

  /** Undefined: they may. */
  #admit(asked: Asked, request: Request): Answer | undefined {
    const { authenticators, authorizers } = this.#options
    const accept = headerOf(request, 'accept')
    const user = authenticate(authenticators, request)
    if (typeof user === 'string') return statusAnswer(failure(401, 'Unauthorized', 'Unauthorized'), accept)
    if (isAllowed(authorizers, attributesOf(user, asked))) return undefined
    const text = `forbidden: User ${JSON.stringify(user.name)} cannot ${asked.resource?.verb ?? asked.method.toLowerCase()} path ${JSON.stringify(asked.pathname)}`
    return statusAnswer(failure(403, 'Forbidden', text, {}), accept)
  }
}

const readOnly = (method: string, answer: Answer, accept: string | undefined): Answer =>
  method === 'GET' || method === 'HEAD'
    ? answer
    : statusAnswer(
        failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
        accept,
      )

/** The base stands in for the host, which no route looks at. */
const parseUrl = (target: string): URL | undefined =>
  URL.parse(target.replace(/^\/+/, '/'), 'https://apiserver') ?? undefined
