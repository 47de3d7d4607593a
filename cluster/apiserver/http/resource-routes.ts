/** From a method and a path to a verb on a resource, and from there to its route. */
import { failure, type Status } from '#cluster/api/status.ts'
import type { User } from '../authenticator.ts'
import { verbsOf, verbsOfSubresource } from '../discovery/documents.ts'
import type { Registry, Resource } from '../registry.ts'
import { ABSENT_RESOURCE, absentSubresource, NO_SUCH_ROUTE } from './absent.ts'
import type { ResourceCall } from './call.ts'
import { type Answer, headerOf, pageNotFound, type Request, type Response, statusAnswer } from './exchange.ts'
import { getRoute, listRoute, type WatchRoutes } from './read-routes.ts'
import { type Verb, verbOf } from './request-attributes.ts'
import type { ResourcePath } from './request-info.ts'
import { SCALE_VERBS, scaleRoute } from './scale-routes.ts'
import { warningHeaders } from './warnings.ts'
import { createRoute, deleteCollectionRoute, deleteRoute, patchRoute, updateRoute } from './write-routes.ts'

export interface ResourceRequest {
  readonly path: ResourcePath
  readonly resource: Resource
  /** Undefined: the method is none of the API's. */
  readonly verb: Verb | undefined
}

/** Undefined: no resource is served at the path. */
export const findResource = (
  registry: Registry,
  path: ResourcePath,
  { method, query }: { readonly method: string; readonly query: URLSearchParams },
): ResourceRequest | undefined => {
  const resource = registry.find(path)
  if (!resource) return undefined
  const { kind } = resource
  if (path.namespace !== undefined && !kind.namespaced) return undefined
  if (path.name !== undefined && kind.namespaced && path.namespace === undefined) return undefined
  return { path, resource, verb: verbOf(method, path, query) }
}

const methodNotAllowed = ({ kind }: Resource, verb: string): Status => {
  // Kubernetes has no such route, but for kinds that it learns of while it runs.
  if (!kind.namesItems) return NO_SUCH_ROUTE
  const qualified = kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`
  const text = `${verb} is not supported on resources of kind "${qualified}"`
  const details = { ...(kind.group ? { group: kind.group } : {}), kind: kind.resource }
  return failure(405, 'MethodNotAllowed', text, details)
}

/** Whether the kind has what the path names of it: the object itself, or a subresource. */
export const hasPart = ({ path: { subresource }, resource: { kind } }: ResourceRequest): boolean => {
  if (subresource === undefined || (subresource === 'scale' && kind.scale)) return true
  return verbsOfSubresource(kind, subresource).length > 0
}

/** Verbs that need a namespace in the path, where the kind has one. */
const NAMESPACED_VERBS = new Set<Verb>(['create', 'deletecollection'])
/** Verbs on one object. */
const NAMED_VERBS = new Set<Verb>(['get', 'update', 'patch', 'delete'])

const isServed = ({ path, resource, verb }: ResourceRequest): boolean => {
  if (verb === undefined) return false
  if (path.subresource === 'scale' && resource.kind.scale) return path.name !== undefined && SCALE_VERBS.has(verb)
  if (path.subresource !== undefined) return verbsOfSubresource(resource.kind, path.subresource).includes(verb)
  if (!verbsOf(resource.kind).includes(verb)) return false
  if (NAMED_VERBS.has(verb) !== (path.name !== undefined) && verb !== 'watch') return false
  return !(NAMESPACED_VERBS.has(verb) && resource.kind.namespaced && path.namespace === undefined)
}

export interface RouteContext {
  readonly registry: Registry
  readonly request: Request
  readonly response: Response
  readonly query: URLSearchParams
  readonly watches: WatchRoutes
  readonly user: User
  readonly refuseCreate: () => Promise<Status | undefined>
}

export const answerResource = (
  asked: ResourceRequest,
  context: RouteContext,
): Promise<Answer | 'streamed' | 'upgraded'> | Answer => {
  const { path, resource, verb } = asked
  const accept = headerOf(context.request, 'accept')
  const scale = path.subresource === 'scale' ? resource.kind.scale : undefined
  if (!hasPart(asked)) {
    const absent = absentSubresource(resource.kind, path.subresource ?? '')
    if (!absent && resource.kind.namesItems) return pageNotFound()
    return statusAnswer(absent ?? ABSENT_RESOURCE, accept)
  }
  if (!isServed(asked))
    return statusAnswer(methodNotAllowed(resource, verb ?? context.request.method?.toLowerCase() ?? ''), accept)
  const { registry, request, response, query, user, refuseCreate } = context
  const { namespace, name, subresource } = path
  const call: ResourceCall = {
    registry,
    request,
    response,
    query,
    user,
    refuseCreate,
    accept,
    resource,
    namespace,
    name,
    subresource: scale ? undefined : subresource,
    warnings: new Set(resource.kind.deprecation ? [resource.kind.deprecation] : []),
  }
  // Reads say nothing else by warnings; writes put theirs in its place.
  for (const [name, values] of Object.entries(warningHeaders(call.warnings))) response.setHeader(name, values)
  if (scale) return scaleRoute(call, verb as Verb, scale)
  return route(verb as Verb, call, context.watches)
}

const route = (verb: Verb, call: ResourceCall, watches: WatchRoutes): Promise<Answer | 'streamed' | 'upgraded'> => {
  switch (verb) {
    case 'get':
      return getRoute(call)
    case 'list':
      return listRoute(call)
    case 'watch':
      return watches.watch(call)
    case 'create':
      return createRoute(call)
    case 'update':
      return updateRoute(call)
    case 'patch':
      return patchRoute(call)
    case 'delete':
      return deleteRoute(call)
    case 'deletecollection':
      return deleteCollectionRoute(call)
  }
}
