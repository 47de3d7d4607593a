/** Which requests to another server may take as long as they like: they hold no place, and no deadline ends them. */
import { readFlag } from '../verbs/list-options.ts'

/** kube-apiserver's own list (BasicLongRunningRequestCheck). */
const SUBRESOURCES = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])
/** The old form, `/apis/GROUP/VERSION/watch/…`. */
const PREFIXES = new Set(['proxy', 'watch'])

/** `pathname`: `/apis/GROUP/VERSION/…`. */
export const isLongRunning = (pathname: string, query: URLSearchParams): boolean => {
  const [, , , , ...parts] = pathname.split('/')
  if (PREFIXES.has(parts[0] ?? '')) return true
  const [, , subresource = ''] = parts[0] === 'namespaces' && parts.length > 3 ? parts.slice(2) : parts
  return SUBRESOURCES.has(subresource) || readFlag(query, 'watch') === true
}
