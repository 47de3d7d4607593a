/**
 * What a request asks, as authorizers see it (Kubernetes: RequestInfo), read from its path alone: whether something is
 * served there shows only to those who may ask.
 */
import type { User } from '../authenticator.ts'
import type { Attributes, ResourceAttributes } from '../authorizer.ts'
import { readFlag } from '../verbs/list-options.ts'
import type { ResourcePath } from './request-info.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** Undefined: the method is none of the API's. */
export const verbOf = (method: string, path: ResourcePath, query: URLSearchParams): Verb | undefined => {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (path.watch) return 'watch'
      if (path.name !== undefined) return 'get'
      return readFlag(query, 'watch') ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return path.name === undefined ? 'deletecollection' : 'delete'
    default:
      return undefined
  }
}

const NAMED_COLLECTION = new Set<string | undefined>(['list', 'watch', 'deletecollection'])
/** The one object that a field selector leaves. Whoever may read only that may list and watch only that. */
const SELECTED_NAME = /(?:^|,)\s*metadata\.name\s*==?\s*([^,!=\s]+)\s*(?:,|$)/

const nameOf = ({ name }: ResourcePath, verb: Verb | undefined, query: URLSearchParams): string => {
  if (name !== undefined) return name
  if (!NAMED_COLLECTION.has(verb)) return ''
  return SELECTED_NAME.exec(query.get('fieldSelector') ?? '')?.[1] ?? ''
}

/** A Namespace is in itself: a Role there may speak of it. */
const namespaceOf = ({ group, resource, namespace, name }: ResourcePath): string =>
  (group === '' && resource === 'namespaces' ? name : namespace) ?? ''

export interface AskedPath {
  readonly method: string
  readonly pathname: string
  readonly query: URLSearchParams
  /** Undefined: the path is no resource's. */
  readonly path: ResourcePath | undefined
}

export const requestAttributes = (user: User, { method, pathname, query, path }: AskedPath): Attributes => {
  if (!path) return { user, verb: method.toLowerCase(), path: pathname }
  const verb = verbOf(method, path, query)
  const { group, version, resource, subresource = '' } = path
  const attributes: ResourceAttributes = {
    group,
    version,
    resource,
    subresource,
    namespace: namespaceOf(path),
    name: nameOf(path, verb, query),
  }
  return { user, verb: verb ?? method.toLowerCase(), path: pathname, resource: attributes }
}
