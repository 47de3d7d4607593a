/**
 * What a path asks for, as Kubernetes reads it:
 * `/api/v1/namespaces/NS/pods/NAME/status`, `/apis/GROUP/VERSION/…`, and the old `/watch/` in front of the resource.
 */
import type { GroupVersionResource } from '#cluster/api/object.ts'

export interface ResourcePath extends GroupVersionResource {
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** The old form of watching, `/api/v1/watch/…`. */
  readonly watch: boolean
  /** Whether a part is empty or more stands behind the subresource: what only another server may have, to those who may use that. */
  readonly onlyElsewhere: boolean
}

/** What follows `/namespaces/NAME/` and belongs to the Namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** Undefined: it does not say what its bytes are. */
const decode = (pathname: string): string | undefined => {
  if (!pathname.includes('%')) return pathname
  try {
    return decodeURIComponent(pathname)
  } catch {
    return undefined
  }
}

export const isDecodable = (pathname: string): boolean => decode(pathname) !== undefined

/** Undefined: no path of a resource. */
export const parseResourcePath = (pathname: string): ResourcePath | undefined => {
  // Decoded first, as Go's servers read it: a slash that is written otherwise is one.
  const segments = decode(pathname)?.split('/').slice(1) ?? []
  if (segments.at(-1) === '') segments.pop()
  const hasGap = segments.includes('')
  const root = segments.shift()
  if (root !== 'api' && root !== 'apis') return undefined
  const group = root === 'api' ? '' : segments.shift()
  const version = segments.shift()
  if (group === undefined || version === undefined) return undefined
  const watch = segments[0] === 'watch'
  if (watch) segments.shift()
  let namespace: string | undefined
  if (segments[0] === 'namespaces' && segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2]!)) {
    namespace = segments[1]
    segments.splice(0, 2)
  }
  const [resource, name, subresource, ...rest] = segments
  if (resource === undefined) return undefined
  return { group, version, resource, namespace, name, subresource, watch, onlyElsewhere: hasGap || rest.length > 0 }
}
