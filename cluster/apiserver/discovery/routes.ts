/** The discovery paths: made again when what is served has changed. */
import { createHash } from 'node:crypto'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { encodeProtobuf } from '#cluster/api/protobuf/encode.ts'
import { type Answer, formAnswer, headerOf, type Request, statusAnswer } from '../http/exchange.ts'
import { negotiate, parseAccept } from '../http/negotiate.ts'
import {
  aggregatedDiscovery,
  coreVersions,
  type Document,
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

type AggregatedVersion = 'v2' | 'v2beta1'
type Syntax = 'json' | 'protobuf'

interface AggregatedForm {
  readonly version: AggregatedVersion
  readonly syntax: Syntax
}

const SYNTAXES: Readonly<Record<string, Syntax>> = { 'application/json': 'json', [PROTOBUF_MEDIA_TYPE]: 'protobuf' }

/** The form of aggregated discovery that is asked for, if any. */
const aggregatedForm = (accept: string | undefined): AggregatedForm | undefined => {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (parameters.get('g') !== 'apidiscovery.k8s.io' || parameters.get('as') !== 'APIGroupDiscoveryList') continue
    const syntax = SYNTAXES[type]
    const version = parameters.get('v')
    if (syntax && (version === 'v2' || version === 'v2beta1')) return { version, syntax }
  }
  return undefined
}

interface Aggregated {
  readonly body: string | Buffer
  readonly etag: string
}

const aggregate = (groups: readonly Group[], root: 'api' | 'apis', { version, syntax }: AggregatedForm): Aggregated => {
  const document = aggregatedDiscovery(groups, root, version)
  const text = JSON.stringify(document)
  // Both versions have the same fields.
  const body = syntax === 'json' ? text : encodeProtobuf(document, 'apidiscovery.k8s.io/v2.APIGroupDiscoveryList')
  // Of what is told, however it is written: Kubernetes has one hash for both.
  return { body, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` }
}

/** All documents about the same versions. */
class Documents {
  readonly versions: readonly GroupVersion[]
  readonly #groups: readonly Group[]
  readonly #byPath: ReadonlyMap<string, () => Document>
  readonly #aggregated = new Map<string, Aggregated>()

  constructor(versions: readonly GroupVersion[], address: () => string) {
    this.versions = versions
    this.#groups = groupsOf(versions)
    const byPath = new Map<string, () => Document>([
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

  at(path: string): (() => Document) | undefined {
    return this.#byPath.get(path)
  }

  aggregated(root: 'api' | 'apis', form: AggregatedForm): Aggregated {
    const key = `${root}/${form.version}/${form.syntax}`
    const made = this.#aggregated.get(key) ?? aggregate(this.#groups, root, form)
    this.#aggregated.set(key, made)
    return made
  }
}

const answerAggregated = (
  { body, etag }: Aggregated,
  { version, syntax }: AggregatedForm,
  request: Request,
): Answer => {
  const type = syntax === 'json' ? 'application/json' : PROTOBUF_MEDIA_TYPE
  const contentType = `${type};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
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
      const form = path === '/api' || path === '/apis' ? aggregatedForm(accept) : undefined
      if (form) return answerAggregated(current().aggregated(path === '/api' ? 'api' : 'apis', form), form, request)
      const negotiated = negotiate(accept, { transforms: false, protobuf: true })
      if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
      const { syntax } = negotiated.value
      const said = document()
      // A list of resources of the core group says its kind and no version.
      const value = { apiVersion: 'v1', ...said }
      const body = syntax === 'protobuf' ? encodeProtobuf(value, `meta/v1.${said.kind}`) : JSON.stringify(said)
      return formAnswer(body, { syntax, headers: { vary: 'Accept' } })
    },
  }
}
