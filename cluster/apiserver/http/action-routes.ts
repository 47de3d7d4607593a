/** Actions over HTTP: POST a body, get it back with its answer. */
import { decodeBody } from '#cluster/api/decode.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { hasProtobuf } from '#cluster/api/protobuf/encode.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionCall } from '../action.ts'
import type { Refusal } from '../admission.ts'
import type { User } from '../authenticator.ts'
import type { Registry } from '../registry.ts'
import { adoptNamespace } from '../verbs/create.ts'
import { NO_SUCH_ROUTE } from './absent.ts'
import {
  type Answer,
  afterEvents,
  headerOf,
  pageNotFound,
  type Request,
  readBody,
  STATUS_TYPE,
  statusAnswer,
  valueAnswer,
} from './exchange.ts'
import { bodySyntax, negotiate } from './negotiate.ts'
import type { ResourcePath } from './request-info.ts'
import { warningHeaders } from './warnings.ts'
import { managerOfAgent, readWriteQuery } from './write-options.ts'

const pathOf = (kind: { group: string; version: string; resource: string }, subresource = ''): string =>
  `${kind.group}/${kind.version}/${kind.resource}/${subresource}`

export class ActionRoutes {
  readonly #registry: Registry
  readonly #byPath: ReadonlyMap<string, Action>

  constructor(registry: Registry, actions: readonly Action[]) {
    this.#registry = registry
    this.#byPath = new Map(
      actions.map(action => {
        const { kind, subresource } = action.subresourceOf ?? { kind: action.kind, subresource: '' }
        return [pathOf(kind, subresource), action]
      }),
    )
  }

  find(path: ResourcePath): Action | undefined {
    return this.#byPath.get(pathOf(path, path.subresource))
  }

  async answer(action: Action, { request, path, query, user }: ActionRequest): Promise<Answer> {
    const accept = headerOf(request, 'accept')
    if (!isPlace(action, path)) return pageNotFound()
    if (request.method !== 'POST') return statusAnswer(NO_SUCH_ROUTE, accept)
    const negotiated = negotiate(accept, { transforms: false, protobuf: hasProtobuf(action.kind.type) })
    if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
    const warnings = new Set<string>()
    const warn = (text: string) => void warnings.add(text)
    const outcome = await this.#run(action, { request, path, query, user }, warn)
    // What an action writes, its watchers hear of first.
    await afterEvents()
    const headers = warningHeaders(warnings)
    if (!outcome.ok) {
      const answer = statusAnswer(outcome.problem, accept)
      return { ...answer, headers: { ...answer.headers, ...headers } }
    }
    const { value } = outcome
    const { type } = action.kind
    const options = { code: 201, syntax: negotiated.value.syntax, headers }
    if (isStatus(value)) return valueAnswer({ ...value }, STATUS_TYPE, options)
    return valueAnswer(encodeObject(value, type), type, options)
  }

  async #run(action: Action, { request, path, query, user }: ActionRequest, warn: (text: string) => void) {
    const read = await this.#decode(action, request, query, warn)
    if (!read.ok) return read
    const { namespace, name = '' } = path
    const { object, dryRun, fieldManager } = read.value
    const elsewhere = adoptNamespace(object, namespace)
    if (elsewhere) return refused(elsewhere)
    const manager = fieldManager || managerOfAgent(headerOf(request, 'user-agent') ?? '')
    const call = { user, namespace, name, object, warn, manager, dryRun }
    const refusal = await this.#admit(action, call, query)
    return refusal ? refused(refusal) : action.run(call)
  }

  /** A subresource is its object's: what admission knows about it, it knows by that kind. */
  async #admit({ kind, subresourceOf }: Action, call: ActionCall, query: URLSearchParams): Promise<Refusal> {
    const { admission } = this.#registry
    const request = {
      ...call,
      verb: 'create',
      kind: subresourceOf?.kind ?? kind,
      subresource: subresourceOf?.subresource ?? '',
      current: undefined,
      dryRun: query.has('dryRun'),
      options: {
        kind: 'CreateOptions',
        apiVersion: 'meta.k8s.io/v1',
        ...(query.has('dryRun') ? { dryRun: ['All'] } : {}),
      },
    } as const
    return (await admission.admit(request)) ?? admission.validate(request)
  }

  async #decode({ kind }: Action, request: Request, query: URLSearchParams, warn: (text: string) => void) {
    const options = readWriteQuery('CreateOptions', query)
    if (!options.ok) return options
    const syntax = bodySyntax(headerOf(request, 'content-type'))
    if (!syntax.ok) return syntax
    const body = await readBody(request)
    if (!body.ok) return body
    const decoded = decodeBody(body.value, syntax.value, kind, options.value.fieldValidation)
    if (!decoded.ok) return decoded
    for (const text of decoded.value.warnings) warn(text)
    return accepted({ ...options.value, object: decoded.value.object })
  }
}

const isStatus = (value: ApiObject | Status): value is Status => value.kind === 'Status'

export interface ActionRequest {
  readonly request: Request
  readonly path: ResourcePath
  readonly query: URLSearchParams
  readonly user: User
}

/** Namespaced things have a namespace in their path, others none; a review has no name, a subresource's object has one. */
const isPlace = ({ kind, subresourceOf }: Action, { namespace, name }: ResourcePath): boolean => {
  const { namespaced } = subresourceOf?.kind ?? kind
  return (namespace !== undefined) === namespaced && (name !== undefined) === (subresourceOf !== undefined)
}
