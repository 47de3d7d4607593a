/**
 * One version of a group that another server serves: whether it does, what it has, and requests passed on to it as the
 * user whom the apiserver has authenticated and authorised (kubernetes.io, "Configure the aggregation layer").
 */
import type { IncomingMessage } from 'node:http'
import { constants } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import type { ApiServiceSpec } from '#cluster/api/aggregation/api-service.ts'
import type { FrontProxy } from '#cluster/pki/front-proxy.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Result } from '#lib/result.ts'
import { MASTERS, type User } from '../authenticator.ts'
import type { Request, Response } from '../http/exchange.ts'
import type { Cacher } from '../storage/cacher.ts'
import { resolveServiceEndpoint, type ServiceEndpoint } from '../webhook/service-endpoint.ts'

export interface ExtensionEnvironment {
  readonly clock: Clock
  readonly cacher: Cacher
  readonly random: Random
  readonly frontProxy: FrontProxy
}

/** Who asks when the apiserver itself wants to know something. */
const AGGREGATOR: User = { name: 'system:kube-aggregator', groups: [MASTERS] }
const CHECK_TIMEOUT: Milliseconds = 5000
/** kube-apiserver's --request-timeout: until the answer begins. Who waits holds a place that others want. */
const ANSWER_TIMEOUT: Milliseconds = 60_000
/** Bytes of a document that the apiserver reads itself. */
const MAX_DOCUMENT = 4 * 1024 * 1024

/** RFC 9110 §7.6.1: of one connection alone. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What only the apiserver may say, or be told. */
const isOurs = (name: string): boolean =>
  name === 'authorization' || name.startsWith('impersonate-') || name.startsWith('x-remote-')

type Headers = Record<string, string | string[]>

/** Keys of extra become parts of header names. */
const escapeKey = (key: string): string =>
  encodeURIComponent(key).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16)}`)

const identityHeaders = ({ name, uid, groups, extra = {} }: User): Headers => ({
  'x-remote-user': name,
  ...(uid === undefined ? {} : { 'x-remote-uid': uid }),
  ...(groups.length > 0 ? { 'x-remote-group': [...groups] } : {}),
  ...Object.fromEntries(
    Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escapeKey(key)}`, [...values]]),
  ),
})

const passedOn = (headers: IncomingMessage['headers']): Headers => {
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9113 §8.3: what begins with a colon belongs to HTTP/2.
    if (value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) || isOurs(name)) continue
    kept[name] = value
  }
  return kept
}

/** What may take as long as it likes, as Kubernetes has it. */
const LONG_RUNNING = /\/(?:attach|exec|log|portforward|proxy)(?:\/|\?|$)|[?&]watch=(?!0|f)/i

/** The extension server has not begun to answer in time. */
export class AnswerTimeout extends Error {}

export class ExtensionServer {
  readonly #environment: ExtensionEnvironment
  readonly #spec: ApiServiceSpec
  readonly #agent: Agent

  constructor(spec: ApiServiceSpec, environment: ExtensionEnvironment) {
    const { service = {}, caBundle = '', insecureSkipTLSVerify = false } = spec
    const { certificate, key } = environment.frontProxy
    this.#environment = environment
    this.#spec = spec
    this.#agent = new Agent({
      keepAlive: true,
      cert: certificate,
      key,
      servername: `${service.name}.${service.namespace}.svc`,
      rejectUnauthorized: !insecureSkipTLSVerify,
      ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }),
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Refused: why it is reached nowhere. */
  endpoint(): Result<ServiceEndpoint, string> {
    const { cacher, random } = this.#environment
    return resolveServiceEndpoint(cacher, this.#spec.service ?? {}, random)
  }

  /** A JSON document of the server's. Rejects for whatever is none. */
  async document(path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT)
    const response = await this.#send({
      method: 'GET',
      path,
      headers: { accept: 'application/json', ...identityHeaders(AGGREGATOR) },
      signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_DOCUMENT) throw new Error('the answer is too large')
      chunks.push(chunk)
    }
    const { statusCode = 0 } = response
    if (statusCode < 200 || statusCode > 299) throw new Error(`bad status from ${path}: ${statusCode}`)
    return JSON.parse(Buffer.concat(chunks).toString())
  }

  /** Passes the request on, and the answer back as it comes. Rejects when there is none; then nothing was answered. */
  async forward(request: Request, response: Response, user: User): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const { method = 'GET', url = '/' } = request
    const headers = { ...passedOn(request.headers), ...identityHeaders(user) }
    const { remoteAddress } = request.socket
    if (remoteAddress) headers['x-forwarded-for'] = remoteAddress
    const asked = { method, path: url, headers, signal: gone.signal, body: request }
    const answer = await this.#inTime(this.#send(asked), LONG_RUNNING.test(url) ? undefined : gone)
    response.statusCode = answer.statusCode ?? constants.HTTP_STATUS_BAD_GATEWAY
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined && !HOP_BY_HOP.has(name)) response.setHeader(name, value)
    answer.on('error', () => response.destroy())
    answer.pipe(response as NodeJS.WritableStream)
    await new Promise<void>(resolve => response.on('close', resolve))
  }

  /** `limited`: ends what is asked, when it takes too long; undefined: it may. */
  async #inTime(answer: Promise<IncomingMessage>, limited: AbortController | undefined): Promise<IncomingMessage> {
    if (!limited) return answer
    const late = this.#environment.clock.after(ANSWER_TIMEOUT, () => limited.abort(new AnswerTimeout()))
    try {
      return await answer
    } catch (error) {
      throw limited.signal.reason instanceof AnswerTimeout ? limited.signal.reason : error
    } finally {
      late.cancel()
    }
  }

  #send({
    path,
    body,
    ...options
  }: {
    method: string
    path: string
    headers: Headers
    signal: AbortSignal
    body?: Request
  }) {
    const endpoint = this.endpoint()
    if (!endpoint.ok) return Promise.reject(new Error(endpoint.problem))
    const { host, port } = endpoint.value
    const { service = {} } = this.#spec
    const headers = { ...options.headers, host: `${service.name}.${service.namespace}.svc` }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const sent = httpsRequest({ ...options, headers, host, port, path, agent: this.#agent }, resolve)
      sent.on('error', reject)
      if (body) body.pipe(sent)
      else sent.end()
    })
  }
}
