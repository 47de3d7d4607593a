/**
 * What a request asks, as authorizers see it (Kubernetes: RequestInfo), read from its path alone: whether something is
 * served there shows only to those who may ask.
 */
import type { User } from '../authenticator.ts'
import type { Attributes, ResourceAttributes } from '../authorizer.ts'
import { type FieldSelector, readFieldSelector } from '../selectors/field-selector.ts'
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

const COLLECTION = new Set<string | undefined>(['list', 'watch', 'deletecollection'])

/** What cannot be read selects nothing here: the verb refuses it. */
const selectorOf = (verb: Verb | undefined, query: URLSearchParams): FieldSelector | undefined => {
  const text = COLLECTION.has(verb) ? query.get('fieldSelector') : null
  const selector = text ? readFieldSelector(text) : undefined
  return selector?.ok && selector.value.length > 0 ? selector.value : undefined
}

/** The one object that a selector leaves: whoever may read only that may list and watch only that. */
const nameOf = ({ name }: ResourcePath, selector: FieldSelector | undefined): string =>
  name ?? selector?.find(({ field, equal }) => field === 'metadata.name' && equal)?.value ?? ''

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
  const fieldSelector = selectorOf(verb, query)
  const attributes: ResourceAttributes = {
    group,
    version,
    resource,
    subresource,
    namespace: namespaceOf(path),
    name: nameOf(path, fieldSelector),
    ...(fieldSelector ? { fieldSelector } : {}),
  }
  return { user, verb: verb ?? method.toLowerCase(), path: pathname, resource: attributes }
}
