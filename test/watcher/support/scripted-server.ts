/** An apiserver that says what the test tells it to, over plain http, TLS with HTTP/1.1 only, or HTTP/2. */
import { X509Certificate } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { issueAuthority, issueCertificate } from '#cluster/pki/issue.ts'
import { generateKey } from '#cluster/pki/key.ts'
import type { ClusterAccess } from '#watcher/access.ts'
import { anonymous } from '#watcher/credentials.ts'

export type Protocol = 'http' | 'https' | 'h2'
export type Answer = Pick<ServerResponse, 'statusCode' | 'setHeader' | 'write' | 'end' | 'destroy'>

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly peerName: string
}

export type Script = (asked: Asked, answer: Answer) => void

const certificates = async () => {
  const now = Date.now()
  const [authorityKey, serverKey, clientKey] = await Promise.all([generateKey(), generateKey(), generateKey()])
  const authorityPem = await issueAuthority(authorityKey, 'scripted', now)
  const authority = { key: authorityKey, certificate: new X509Certificate(authorityPem) }
  const issue = (key: typeof serverKey, purpose: 'client' | 'server', commonName: string, names: string[]) =>
    issueCertificate(authority, { subject: { commonName, organizations: ['group'] }, key, purpose, names }, now)
  return {
    authority: authorityPem,
    server: { cert: await issue(serverKey, 'server', 'server', ['127.0.0.1', 'named.example']), key: serverKey.pem },
    client: { certificate: await issue(clientKey, 'client', 'jane', []), key: clientKey.pem },
    another: { certificate: await issue(clientKey, 'client', 'john', []), key: clientKey.pem },
  }
}
let made: ReturnType<typeof certificates> | undefined
export const testCertificates = () => (made ??= certificates())

export class ScriptedServer {
  script: Script
  readonly asked: Asked[] = []
  readonly port: number
  readonly protocol: Protocol
  readonly authority: string
  readonly sessions = new Set<ServerHttp2Session>()
  connections = 0

  constructor(protocol: Protocol, port: number, authority: string, script: Script) {
    this.protocol = protocol
    this.port = port
    this.authority = authority
    this.script = script
  }

  url(port = this.port): URL {
    return new URL(`${this.protocol === 'http' ? 'http' : 'https'}://127.0.0.1:${port}`)
  }

  access(overrides: Partial<ClusterAccess> = {}): ClusterAccess {
    return {
      server: this.url(),
      namespace: 'default',
      authority: async () => this.authority,
      insecure: false,
      serverName: undefined,
      credentials: anonymous,
      ...overrides,
    }
  }
}

export const scriptedServer = async (
  t: ExecutionContext,
  protocol: Protocol,
  script: Script,
): Promise<ScriptedServer> => {
  const { authority, server: pair } = await testCertificates()
  const holder: { server?: ScriptedServer } = {}
  const sockets = new Set<Socket>()
  const handle = (request: IncomingMessage | Http2ServerRequest, answer: ServerResponse | Http2ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    answer.on('error', () => {})
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://server')
      const { subject } =
        'getPeerCertificate' in request.socket ? (request.socket as never as TlsSocket).getPeerCertificate() : {}
      const asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        peerName: subject?.CN ?? '',
      }
      holder.server!.asked.push(asked)
      holder.server!.script(asked, answer as Answer)
    })
  }
  const tls = { ...pair, ca: authority, requestCert: true, rejectUnauthorized: false }
  const listener =
    protocol === 'http'
      ? createHttp(handle)
      : protocol === 'https'
        ? createHttps(tls, handle)
        : createSecureServer({ ...tls, allowHTTP1: true }, handle)
  listener.on('session', (session: ServerHttp2Session) => {
    holder.server!.sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => holder.server!.sessions.delete(session))
  })
  listener.on('connection', (socket: Socket) => {
    holder.server!.connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    listener.close()
    for (const socket of sockets) socket.destroy()
  })
  holder.server = new ScriptedServer(protocol, (listener.address() as AddressInfo).port, authority, script)
  return holder.server
}

interface TlsSocket {
  getPeerCertificate(): { readonly subject?: { readonly CN?: string } }
}

/** Stands between client and server; can stop to forward bytes while all its sockets stay open, or cut them. */
export class FreezingProxy {
  readonly port: number
  readonly #sockets: Set<Socket>
  readonly #frozen: { value: boolean }

  private constructor(port: number, sockets: Set<Socket>, frozen: { value: boolean }) {
    this.port = port
    this.#sockets = sockets
    this.#frozen = frozen
  }

  static async start(t: ExecutionContext, target: number): Promise<FreezingProxy> {
    const sockets = new Set<Socket>()
    const frozen = { value: false }
    const forward = (from: Socket, to: Socket) => {
      sockets.add(from)
      from.on('data', chunk => frozen.value || to.write(chunk))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    const listener = createTcp(client => {
      const server = connect(target, '127.0.0.1')
      forward(client, server)
      forward(server, client)
    })
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      listener.close()
      for (const socket of sockets) socket.destroy()
    })
    return new FreezingProxy((listener.address() as AddressInfo).port, sockets, frozen)
  }

  freeze(): void {
    this.#frozen.value = true
  }

  thaw(): void {
    this.#frozen.value = false
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

export const sendJson = (answer: Answer, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  answer.statusCode = status
  answer.setHeader('content-type', 'application/json')
  for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value)
  answer.end(JSON.stringify(body))
}

export const sendStatus = (answer: Answer, code: number, reason: string, headers: Record<string, string> = {}): void =>
  sendJson(
    answer,
    code,
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `${reason}!`, reason, code },
    headers,
  )

/** One watch event as a line. */
export const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`

export const thing = (name: string, revision: number | string, spec: unknown = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { namespace: 'default', name, resourceVersion: String(revision) },
  spec,
})

export const initialEventsEnd = (revision: number | string): string =>
  event('BOOKMARK', {
    metadata: { resourceVersion: String(revision), annotations: { 'k8s.io/initial-events-end': 'true' } },
  })

/** Ends the connection without a word, not only the answer. */
export const cutConnection = (answer: Answer): void => {
  const { stream } = answer as { stream?: { readonly session?: { destroy(): void } } }
  if (stream) stream.session?.destroy()
  else answer.destroy()
}
