/** The discovery paths: made once at the start, since the kinds do not change. */
import { createHash } from 'node:crypto'
import type { Kind } from '#cluster/api/kind.ts'
import { type Answer, headerOf, jsonAnswer, type Request, statusAnswer } from '../http/exchange.ts'
import { negotiate } from '../http/negotiate.ts'
import {
  aggregatedDiscovery,
  coreVersions,
  groupDocument,
  groupList,
  groupVersions,
  resourceList,
} from './documents.ts'

export interface DiscoveryRoutes {
  /** Undefined: the path is not one of discovery's. */
  answer(pathname: string, request: Request): Answer | undefined
  /** For the list of paths that `/` answers with. */
  readonly paths: readonly string[]
}

const AGGREGATED = /(?:^|,)\s*application\/json\s*;([^,]*as=APIGroupDiscoveryList[^,]*)/

/** The version of aggregated discovery that is asked for, if any. */
const aggregatedVersion = (accept: string | undefined): 'v2' | 'v2beta1' | undefined => {
  const parameters = AGGREGATED.exec(accept ?? '')?.[1] ?? ''
  if (!/g=apidiscovery\.k8s\.io/.test(parameters)) return undefined
  if (/v=v2(?![a-z0-9])/.test(parameters)) return 'v2'
  return /v=v2beta1/.test(parameters) ? 'v2beta1' : undefined
}

interface Aggregated {
  readonly body: string
  readonly etag: string
}

const aggregate = (kinds: readonly Kind[], root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Aggregated => {
  const body = JSON.stringify(aggregatedDiscovery(groupVersions(kinds), root, version))
  return { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` }
}

export const createDiscoveryRoutes = (kinds: readonly Kind[], address: () => string): DiscoveryRoutes => {
  const all = groupVersions(kinds)
  const documents = new Map<string, () => unknown>([
    ['/api', () => coreVersions(address())],
    ['/apis', () => groupList(all)],
  ])
  for (const groupVersion of all) {
    const { group, version } = groupVersion
    if (group !== '') documents.set(`/apis/${group}`, () => groupDocument(groupVersion))
    documents.set(group === '' ? `/api/${version}` : `/apis/${group}/${version}`, () => resourceList(groupVersion))
  }
  const aggregated = new Map<string, Aggregated>()

  const answerAggregated = (root: 'api' | 'apis', version: 'v2' | 'v2beta1', request: Request): Answer => {
    const key = `${root}/${version}`
    const { body, etag } = aggregated.get(key) ?? aggregate(kinds, root, version)
    aggregated.set(key, { body, etag })
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
    const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
    // RFC 9110 §13.1.2: the client has it already.
    if (headerOf(request, 'if-none-match')?.includes(etag)) return { code: 304, headers, body: '', contentType }
    return { code: 200, headers, body, contentType }
  }

  return {
    paths: [...documents.keys()],
    answer(pathname, request) {
      const path = pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
      const document = documents.get(path)
      if (!document) return undefined
      const accept = headerOf(request, 'accept')
      const version = path === '/api' || path === '/apis' ? aggregatedVersion(accept) : undefined
      if (version) return answerAggregated(path === '/api' ? 'api' : 'apis', version, request)
      const negotiated = negotiate(accept, { transforms: false })
      if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
      const { syntax } = negotiated.value
      return jsonAnswer(JSON.stringify(document()), { syntax, headers: { vary: 'Accept' } })
    },
  }
}
