/** `kubectl get componentstatuses`: how the parts are that this server can speak for. */
import { componentStatus, componentStatusKind } from '#cluster/api/component-status.ts'
import { failure, notFound } from '#cluster/api/status.ts'
import type { HealthCheck } from './health.ts'
import { wantedForm } from './http/call.ts'
import { type Answer, formAnswer, headerOf, type Request, statusAnswer } from './http/exchange.ts'
import type { PathRoute } from './http/handler.ts'
import { verbOf } from './http/request-attributes.ts'
import { parseResourcePath } from './http/request-info.ts'
import { warningHeaders } from './http/warnings.ts'
import type { Registry } from './registry.ts'
import { encodeStored, StoredObject } from './storage/stored-object.ts'
import { readListOptions, selects } from './verbs/list-options.ts'

type Parts = Readonly<Record<string, HealthCheck['problem']>>

const kind = componentStatusKind

/** As of now, whatever changed it last. */
const look = (parts: Parts, name: string, revision: number): StoredObject => {
  const value = encodeStored(kind, componentStatus(name, parts[name]!()))
  return StoredObject.decode(kind, name, { value, modRevision: revision })
}

export const createComponentRoute = (registry: Registry, parts: Parts): PathRoute => {
  const ask = (request: Request, query: URLSearchParams) => {
    const accept = headerOf(request, 'accept')
    return { accept, query, registry, resource: { kind } }
  }
  const headers = warningHeaders(kind.deprecation ? [kind.deprecation] : [])

  const one = (name: string, request: Request, query: URLSearchParams): Answer => {
    const call = ask(request, query)
    const wanted = wantedForm(call, 'one')
    if (!wanted.ok) return statusAnswer(wanted.problem, call.accept)
    // Kubernetes speaks of it in the singular.
    const subject = { ...kind, resource: kind.singular, name }
    if (!Object.hasOwn(parts, name)) return statusAnswer(notFound(subject), call.accept)
    const { form, syntax } = wanted.value
    return formAnswer(form.object(kind, look(parts, name, registry.cacher.revision)), { syntax, headers })
  }

  const all = (request: Request, query: URLSearchParams): Answer => {
    const call = ask(request, query)
    const wanted = wantedForm(call, 'many')
    if (!wanted.ok) return statusAnswer(wanted.problem, call.accept)
    const options = readListOptions(kind, query, false)
    if (!options.ok) return statusAnswer(options.problem, call.accept)
    const { revision } = registry.cacher
    const looked = Object.keys(parts).map(name => look(parts, name, revision))
    const items = looked.filter(stored => selects(options.value, stored))
    const { form, syntax } = wanted.value
    const list = { items, resourceVersion: String(revision), continue: '', remainingItemCount: undefined }
    return formAnswer(form.list(kind, list), { syntax, headers })
  }

  return (pathname, request, query) => {
    const path = parseResourcePath(pathname)
    if (path?.group !== '' || path.version !== kind.version || path.resource !== kind.resource) return undefined
    if (path.namespace !== undefined || path.subresource !== undefined) return undefined
    if (verbOf('GET', path, query) === 'watch') {
      const text = `watch is not supported on resources of kind "${kind.resource}"`
      return statusAnswer(failure(405, 'MethodNotAllowed', text, { kind: kind.resource }), headerOf(request, 'accept'))
    }
    return path.name === undefined ? all(request, query) : one(path.name, request, query)
  }
}
