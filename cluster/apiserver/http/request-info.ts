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
}

/** What follows `/namespaces/NAME/` and belongs to the Namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

const decodeSegment = (segment: string): string | undefined => {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** Undefined: no path of a resource. */
export const parseResourcePath = (pathname: string): ResourcePath | undefined => {
  const raw = pathname.split('/').slice(1)
  if (raw.at(-1) === '') raw.pop()
  const segments: string[] = []
  for (const segment of raw) {
    const decoded = decodeSegment(segment)
    if (decoded === undefined || decoded === '') return undefined
    segments.push(decoded)
  }
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
  if (resource === undefined || rest.length > 0) return undefined
  return { group, version, resource, namespace, name, subresource, watch }
}
