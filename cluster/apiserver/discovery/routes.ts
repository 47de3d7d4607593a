/** The discovery paths: made again when what is served has changed. */
import { createHash } from 'node:crypto'
import { type Answer, formAnswer, headerOf, type Request, statusAnswer } from '../http/exchange.ts'
import { negotiate } from '../http/negotiate.ts'
import {
  aggregatedDiscovery,
  coreVersions,
  type Group,
  type GroupVersion,
  groupDocument,
  groupList,
  groupsOf,
  resourceList,
} from './documents.ts'

export interface DiscoveryRoutes {
  /** Undefined: the path is not one of discovery's. */
  answer(pathname: string, request: Request): Answer | undefined
  /** For the list of paths that `/` answers with. */
  paths(): readonly string[]
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

const aggregate = (groups: readonly Group[], root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Aggregated => {
  const body = JSON.stringify(aggregatedDiscovery(groups, root, version))
  return { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` }
}

/** All documents about the same versions. */
class Documents {
  readonly versions: readonly GroupVersion[]
  readonly #groups: readonly Group[]
  readonly #byPath: ReadonlyMap<string, () => unknown>
  readonly #aggregated = new Map<string, Aggregated>()

  constructor(versions: readonly GroupVersion[], address: () => string) {
    this.versions = versions
    this.#groups = groupsOf(versions)
    const byPath = new Map<string, () => unknown>([
      ['/api', () => coreVersions(address())],
      ['/apis', () => groupList(this.#groups)],
    ])
    for (const group of this.#groups) {
      if (group.name !== '') byPath.set(`/apis/${group.name}`, () => groupDocument(group))
      for (const groupVersion of group.versions) {
        // Another server's resources are that server's to tell.
        if (groupVersion.remote) continue
        const path = group.name === '' ? '/api' : `/apis/${group.name}`
        byPath.set(`${path}/${groupVersion.version}`, () => resourceList(groupVersion))
      }
    }
    this.#byPath = byPath
  }

  get paths(): readonly string[] {
    return [...this.#byPath.keys()]
  }

  at(path: string): (() => unknown) | undefined {
    return this.#byPath.get(path)
  }

  aggregated(root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Aggregated {
    const key = `${root}/${version}`
    const made = this.#aggregated.get(key) ?? aggregate(this.#groups, root, version)
    this.#aggregated.set(key, made)
    return made
  }
}

const answerAggregated = ({ body, etag }: Aggregated, version: 'v2' | 'v2beta1', request: Request): Answer => {
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
  // RFC 9110 §13.1.2: the client has it already.
  if (headerOf(request, 'if-none-match')?.includes(etag)) return { code: 304, headers, body: '', contentType }
  return { code: 200, headers, body, contentType }
}

/** `served`: the versions that are served now, the same array for as long as nothing changes. */
export const createDiscoveryRoutes = (
  served: () => readonly GroupVersion[],
  address: () => string,
): DiscoveryRoutes => {
  let documents = new Documents(served(), address)
  const current = (): Documents => {
    const versions = served()
    if (versions !== documents.versions) documents = new Documents(versions, address)
    return documents
  }
  return {
    paths: () => current().paths,
    answer(pathname, request) {
      const path = pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
      const document = current().at(path)
      if (!document) return undefined
      const accept = headerOf(request, 'accept')
      const version = path === '/api' || path === '/apis' ? aggregatedVersion(accept) : undefined
      if (version)
        return answerAggregated(current().aggregated(path === '/api' ? 'api' : 'apis', version), version, request)
      const negotiated = negotiate(accept, { transforms: false })
      if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
      const { syntax } = negotiated.value
      return formAnswer(JSON.stringify(document()), { syntax, headers: { vary: 'Accept' } })
    },
  }
}
