/** `/openapi/v3` and the documents below it. A document's address carries its hash, so clients may keep it for ever. */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Kind } from '#cluster/api/kind.ts'
import { type OpenApiIndex, openApiDocument, openApiIndex } from '#cluster/api/openapi/document.ts'
import { type Answer, headerOf, pageNotFound, type Request } from '../http/exchange.ts'
import type { PathRoute } from '../http/handler.ts'

const ROOT = '/openapi/v3'

/** A year: RFC 9111 §1.2.2 has no longer one. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Custom resources come and go, and their documents with them. */
const etags = new LRUCache<string, string>({ max: 500 })

const etagOf = (body: string): string => {
  const known = etags.get(body)
  if (known) return known
  const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`
  etags.set(body, etag)
  return etag
}

const withRemote = ({ paths }: OpenApiIndex, remote: OpenApiIndex['paths']): OpenApiIndex => ({
  paths: { ...paths, ...remote },
})

const answer = (body: string, request: Request, cacheControl: string): Answer => {
  const etag = etagOf(body)
  const headers = { etag, vary: 'Accept', 'cache-control': cacheControl }
  const contentType = 'application/json'
  // RFC 9110 §13.1.2: the client has it already.
  if (headerOf(request, 'if-none-match')?.includes(etag)) return { code: 304, headers, body: '', contentType }
  return { code: 200, headers, body, contentType }
}

/**
 * `custom`: kinds that are served besides what is built in; the same array while nothing changes. `remote`: the documents
 * of other servers, who serve them themselves.
 */
export const createOpenApiRoute =
  (custom: () => readonly Kind[], remote: () => OpenApiIndex['paths']): PathRoute =>
  (pathname, request, query) => {
    if (pathname === ROOT || pathname === `${ROOT}/`)
      return answer(JSON.stringify(withRemote(openApiIndex(custom()), remote())), request, 'no-cache, private')
    if (!pathname.startsWith(`${ROOT}/`)) return undefined
    const body = openApiDocument(pathname.slice(ROOT.length + 1), custom())
    if (body === undefined) return pageNotFound()
    // Only the address with this very hash means this very document.
    const exact = query.get('hash') === etagOf(body).slice(1, -1)
    return answer(body, request, exact ? FOR_EVER : 'no-cache, private')
  }
