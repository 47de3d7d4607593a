/** An extension API server for tests: HTTPS, knows the apiserver by its front-proxy certificate, serves one kind. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import { type Authority, issueAuthority, issueCertificate, readCertificate } from '#cluster/pki/issue.ts'
import { generateKey } from '#cluster/pki/key.ts'
import { freePort } from './free-port.ts'

export interface ExtensionRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface RunningExtension {
  readonly port: number
  /** Base64 of PEM: for spec.caBundle. */
  readonly caBundle: string
  readonly requests: readonly ExtensionRequest[]
  /** Connections that are used otherwise than for HTTP, or wait for it; those that have ended, too. */
  readonly streams: readonly Duplex[]
  close(): Promise<void>
}

export const FAR = { group: 'far.example.com', version: 'v1' } as const

const RESOURCES = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'far.example.com/v1',
  resources: [
    {
      name: 'stars',
      singularName: 'star',
      namespaced: true,
      kind: 'Star',
      verbs: ['get', 'list', 'create', 'watch'],
      shortNames: ['st'],
    },
    { name: 'stars/status', singularName: '', namespaced: true, kind: 'Star', verbs: ['get'] },
  ],
}

const star = (name: string) => ({
  apiVersion: 'far.example.com/v1',
  kind: 'Star',
  metadata: { name, namespace: 'default' },
})

const STAR = '#/components/schemas/com.example.far.v1.Star'

const OPEN_API = {
  openapi: '3.0.0',
  info: { title: 'far', version: 'v1' },
  paths: {
    '/apis/far.example.com/v1/namespaces/{namespace}/stars': {
      get: {
        responses: { 200: { content: { 'application/json': { schema: { $ref: STAR } } } } },
        'x-kubernetes-action': 'list',
        'x-kubernetes-group-version-kind': { ...FAR, kind: 'Star' },
      },
    },
  },
  components: {
    schemas: {
      'com.example.far.v1.Star': {
        type: 'object',
        description: 'A star is far away.',
        properties: { kind: { type: 'string' } },
        'x-kubernetes-group-version-kind': [{ ...FAR, kind: 'Star' }],
      },
    },
  },
}

/** Below its own group and not; a definition that Kubernetes has as another one, one that is the same, one that nobody needs. */
const SWAGGER = {
  swagger: '2.0',
  info: { title: 'far', version: 'v1' },
  parameters: { pretty: { name: 'pretty', in: 'query', type: 'string', uniqueItems: true } },
  paths: {
    '/apis/far.example.com/v1/namespaces/{namespace}/stars': {
      get: {
        operationId: 'listFarExampleComV1Star',
        produces: ['application/json'],
        responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/com.example.far.v1.Star' } } },
        'x-kubernetes-action': 'list',
        'x-kubernetes-group-version-kind': { ...FAR, kind: 'Star' },
      },
      parameters: [{ $ref: '#/parameters/pretty' }],
    },
    '/apis/apps/v1/': { get: { operationId: 'forged', responses: {} } },
  },
  definitions: {
    'com.example.far.v1.Star': {
      type: 'object',
      description: 'A star is far away.',
      properties: {
        kind: { type: 'string' },
        $ref: { type: 'string' },
        metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
        mass: { $ref: '#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity' },
      },
      'x-kubernetes-group-version-kind': [{ ...FAR, kind: 'Star' }],
    },
    'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object', description: 'Of far away.' },
    'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
    'com.example.far.v1.Unused': { type: 'object' },
  },
}

const answers: Readonly<Record<string, unknown>> = {
  '/apis/far.example.com/v1': RESOURCES,
  '/apis/far.example.com/v1/namespaces/default/stars': {
    apiVersion: 'far.example.com/v1',
    kind: 'StarList',
    metadata: {},
    items: [star('sirius'), star('vega')],
  },
  '/apis/far.example.com/v1/namespaces/default/stars/sirius': star('sirius'),
  '/openapi/v3': {
    paths: { 'apis/far.example.com/v1': { serverRelativeURL: '/openapi/v3/apis/far.example.com/v1?hash=AB' } },
  },
  '/openapi/v3/apis/far.example.com/v1': OPEN_API,
  '/openapi/v2': SWAGGER,
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const respond = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json', connection: 'close', 'x-far': 'yes' })
  response.end(JSON.stringify(body))
}

const watch = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  // It goes on until the client has enough.
  for (const name of ['sirius', 'vega']) response.write(`${JSON.stringify({ type: 'ADDED', object: star(name) })}\n`)
}

/** Sockets that have had an answer: the next request on one of them is not heard. */
const answered = new WeakSet<object>()

const fickle = ({ socket }: IncomingMessage, response: ServerResponse): void => {
  if (answered.has(socket)) {
    socket.destroy()
    return
  }
  answered.add(socket)
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
}

const NOT_FOUND = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'

const serve = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://far')
  if (pathname.endsWith('/fickle')) fickle(request, response)
  else if (request.method === 'POST') respond(response, 201, JSON.parse(body))
  else if (searchParams.get('watch') === 'true') watch(response)
  else if (pathname.endsWith('/eager')) request.socket.write(SWITCHING)
  // It never says anything.
  else if (pathname.endsWith('/black-hole')) return
  else respond(response, answers[pathname] ? 200 : 404, answers[pathname] ?? NOT_FOUND)
}

/** What is sent comes back in capitals, after a greeting; some places have other manners. */
const upgrade = ({ url = '', headers }: IncomingMessage, socket: Duplex, head: Buffer): void => {
  if (url.endsWith('/black-hole') || url.endsWith('/black-hole/exec')) return
  if (url.endsWith('/closed')) {
    const body = JSON.stringify({ ...NOT_FOUND, code: 403, message: 'closed today' })
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    return
  }
  if (url.endsWith('/deaf')) {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    return
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${headers.upgrade}\r\nX-Far: yes\r\n\r\nhello `,
  )
  socket.write(head.toString().toUpperCase())
  socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
}

const makeAuthority = async (): Promise<Authority & { readonly pem: string }> => {
  const key = await generateKey()
  const pem = await issueAuthority(key, 'far-ca', Date.now())
  const certificate = readCertificate(pem)
  if (!certificate) throw new Error('not a certificate')
  return { key, certificate, pem }
}

/** `frontProxy`: PEM of the authority whose clients are believed. Its certificate is for the Service default/far. */
export const startExtension = async (frontProxy: string): Promise<RunningExtension> => {
  const authority = await makeAuthority()
  const key = await generateKey()
  const subject = { commonName: 'far', organizations: [] }
  const names = ['far.default.svc']
  const cert = await issueCertificate(authority, { subject, key, purpose: 'server', names }, Date.now())
  const requests: ExtensionRequest[] = []
  const options = { cert, key: key.pem, ca: frontProxy, requestCert: true, rejectUnauthorized: true }
  const server: Server = createServer(options, (request, response) => {
    void bodyOf(request).then(body => {
      requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
      serve(request, response, body)
    })
  })
  const streams: Duplex[] = []
  server.on('upgrade', (request, socket, head) => {
    streams.push(socket)
    socket.on('error', () => {})
    requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: '' })
    upgrade(request, socket, head)
  })
  // A kept connection is never too old, and nobody else answers at its address when it is closed.
  server.keepAliveTimeout = 0
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    caBundle: Buffer.from(authority.pem).toString('base64'),
    requests,
    streams,
    close: () =>
      new Promise(resolve => {
        for (const stream of streams) stream.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
