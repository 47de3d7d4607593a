/** A DNS server over HTTPS (RFC 8484) on loopback whose answers the test makes up. */
import { once } from 'node:events'
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Query } from '#resolver/query.ts'
import { type Answer, emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import type { KeyedCertificate } from './certificates.ts'

export interface DohOptions {
  readonly certificate: KeyedCertificate
  readonly respond: (query: Query) => Partial<Answer>
  readonly headers?: Readonly<Record<string, string | number>>
}

export interface DohUpstream {
  readonly port: number
  readonly queries: Query[]
  readonly requests: IncomingHttpHeaders[]
  /** Connections that were made. */
  readonly sessions: ServerHttp2Session[]
}

export const startDohUpstream = async (t: ExecutionContext, options: DohOptions): Promise<DohUpstream> => {
  const server = createSecureServer(options.certificate)
  const queries: Query[] = []
  const requests: IncomingHttpHeaders[] = []
  const sessions: ServerHttp2Session[] = []
  server.on('session', session => void sessions.push(session))
  server.on('stream', async (stream, headers) => {
    requests.push(headers)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const url = new URL(String(headers[':path']), 'https://dns.example')
    const inUrl = url.searchParams.get('dns')
    const packet = inUrl === null ? Buffer.concat(chunks) : Buffer.from(inUrl, 'base64url')
    const nobody = { address: '127.0.0.1', port: 1 }
    const decoded = decodeQuery(packet, { transport: 'https', client: nobody, local: nobody, server: 'stub' }, 0)
    if (decoded.verdict !== 'query') return stream.respond({ ':status': 400 }, { endStream: true })
    queries.push(decoded.query)
    const answer = emptyAnswer(0, { recursionAvailable: true, ...options.respond(decoded.query) })
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message', ...options.headers })
    stream.end(encodeAnswer(decoded.query, answer))
    return undefined
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, queries, requests, sessions }
}
