/** `/openapi/v2`: one document for all that is served, as JSON or as protobuf. */
import { createHash } from 'node:crypto'
import type { Kind } from '#cluster/api/kind.ts'
import { mergeSwagger, type RemoteSwagger } from '#cluster/api/openapi/merge-swagger.ts'
import { swaggerDocument } from '#cluster/api/openapi/swagger.ts'
import { encodeSwagger, SWAGGER_PROTOBUF, SWAGGER_PROTOBUF_ASKED } from '#cluster/api/openapi/swagger-protobuf.ts'
import { failure } from '#cluster/api/status.ts'
import { type Answer, headerOf, type Request, statusAnswer } from '../http/exchange.ts'
import type { PathRoute } from '../http/handler.ts'
import { parseAccept } from '../http/negotiate.ts'

const PATH = '/openapi/v2'
const JSON_TYPE = 'application/json'

/** A finished document. */
interface Written {
  readonly body: Buffer
  readonly contentType: string
  readonly etag: string
}

/** All that is told: kinds besides what is built in, and what other servers say. */
interface Told {
  readonly custom: readonly Kind[]
  readonly remote: readonly RemoteSwagger[]
}

const write = ({ custom, remote }: Told, contentType: string): Written => {
  const document = mergeSwagger(swaggerDocument(custom), remote)
  const body = contentType === JSON_TYPE ? Buffer.from(JSON.stringify(document)) : encodeSwagger(document)
  const hash = createHash('sha256').update(body).digest('hex').toUpperCase()
  return { body, contentType, etag: `"${hash}"` }
}

/** The documents of what is told now; those of before are nobody's. */
class Documents {
  #told: Told | undefined
  readonly #forms = new Map<string, Written>()

  at(told: Told, contentType: string): Written {
    if (this.#told?.custom !== told.custom || this.#told.remote !== told.remote) this.#forms.clear()
    this.#told = told
    const known = this.#forms.get(contentType) ?? write(told, contentType)
    this.#forms.set(contentType, known)
    return known
  }
}

/** Undefined: nothing that the client takes. */
const contentTypeFor = (accept: string | undefined): string | undefined => {
  if (!accept) return JSON_TYPE
  for (const { type } of parseAccept(accept)) {
    if (type === SWAGGER_PROTOBUF_ASKED || type === SWAGGER_PROTOBUF) return SWAGGER_PROTOBUF
    if (type === JSON_TYPE || type === 'application/*' || type === '*/*') return JSON_TYPE
  }
  return undefined
}

const answer = (documents: Documents, told: Told, request: Request): Answer => {
  const accept = headerOf(request, 'accept')
  const contentType = contentTypeFor(accept)
  if (contentType === undefined) {
    const text = `only the following media types are accepted: ${JSON_TYPE}, ${SWAGGER_PROTOBUF}`
    return statusAnswer(failure(406, 'NotAcceptable', text), accept)
  }
  const { body, etag } = documents.at(told, contentType)
  const headers = { etag, vary: 'Accept', 'cache-control': 'no-cache, private' }
  // RFC 9110 §13.1.2: the client has it already.
  const known = headerOf(request, 'if-none-match')?.includes(etag)
  return { code: known ? 304 : 200, headers, body: known ? '' : body, contentType }
}

/** `custom`: kinds that are served besides what is built in. Both: the same array while nothing changes. */
export const createSwaggerRoute = (
  custom: () => readonly Kind[],
  remote: () => readonly RemoteSwagger[],
): PathRoute => {
  const documents = new Documents()
  return (pathname, request) =>
    pathname === PATH ? answer(documents, { custom: custom(), remote: remote() }, request) : undefined
}
