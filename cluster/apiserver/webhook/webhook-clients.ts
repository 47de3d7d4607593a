/**
 * Calls to the webhooks that objects of the API name: admission, and whatever else has a `clientConfig`. A Service is
 * reached at one of its endpoints, under the name that its certificate is for: NAME.NAMESPACE.svc.
 *
 * Promised: connections are kept and shared by all who call the same server with the same authority, as the same; a call has a
 * deadline, and an answer a bound.
 */
import { LRUCache } from 'lru-cache'
import type { Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { HostCredentials } from './host-credentials.ts'
import { HttpsJson } from './https-json.ts'
import type { Credentials } from './kubeconfig.ts'
import { DEFAULT_SERVICE_PORT, resolveServiceEndpoint } from './service-endpoint.ts'

/** `clientConfig` of a webhook: one of url and service. */
export interface WebhookClientConfig {
  readonly url?: string
  readonly service?: {
    readonly namespace?: string
    readonly name?: string
    readonly path?: string
    readonly port?: number
  }
  /** Base64 of PEM; absent: the system's authorities. */
  readonly caBundle?: string
}

export interface WebhookClientsEnvironment {
  readonly cacher: Cacher
  readonly random: Random
}

export interface PostOptions {
  readonly timeout: Milliseconds
  /** Who the apiserver is to whom. Default: nobody. */
  readonly credentials?: HostCredentials | undefined
}

/** Servers whose connections are kept. */
const SERVERS = 128
/** Bytes: a list of objects to convert comes back as long as it went. */
const MAX_ANSWER = 16 * 1024 * 1024

const pathOf = (path = ''): string => (path.startsWith('/') ? path : `/${path}`)

export class WebhookClients {
  readonly #environment: WebhookClientsEnvironment
  readonly #servers = new LRUCache<string, HttpsJson>({ max: SERVERS, dispose: server => server.close() })

  constructor(environment: WebhookClientsEnvironment) {
    this.#environment = environment
  }

  /**
   * The JSON of the answer to a POST of `body`. Rejects with an Error whose message ends with the reason:
   * `Post "https://…?timeout=10s": context deadline exceeded`.
   */
  async post(config: WebhookClientConfig, body: unknown, { timeout, credentials }: PostOptions): Promise<unknown> {
    const url = new URL(urlOf(config))
    url.searchParams.set('timeout', `${Math.ceil(timeout / 1000)}s`)
    try {
      const shown = credentials?.for(`${url.hostname}:${url.port || DEFAULT_SERVICE_PORT}`)
      return await this.#server(config, shown).send(body, { timeout, host: url.host, url: this.#target(config, url) })
    } catch (cause) {
      throw new Error(`Post ${JSON.stringify(url.href)}: ${reasonOf(cause)}`, { cause })
    }
  }

  close(): void {
    this.#servers.clear()
  }

  #server({ url = '', service, caBundle = '' }: WebhookClientConfig, credentials: Credentials | undefined): HttpsJson {
    const serverName = service ? `${service.name}.${service.namespace}.svc` : undefined
    const key = `${serverName ?? new URL(url).host}\0${caBundle}\0${credentials?.id ?? ''}`
    const known = this.#servers.get(key)
    if (known) return known
    const ca = caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString()
    const made = new HttpsJson({ ca, serverName, credentials, maxAnswer: MAX_ANSWER })
    this.#servers.set(key, made)
    return made
  }

  /** Where to connect to; what it asks for there stays as it was said. */
  #target({ service }: WebhookClientConfig, url: URL): string {
    if (!service) return url.href
    const { cacher, random } = this.#environment
    const endpoint = resolveServiceEndpoint(cacher, service, random)
    if (!endpoint.ok) throw new Error(endpoint.problem)
    const { host, port } = endpoint.value
    return `https://${host.includes(':') ? `[${host}]` : host}:${port}${url.pathname}${url.search}`
  }
}

const urlOf = ({ url = '', service }: WebhookClientConfig): string =>
  service
    ? `https://${service.name}.${service.namespace}.svc:${service.port ?? DEFAULT_SERVICE_PORT}${pathOf(service.path)}`
    : url

const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  if (cause.name === 'TimeoutError' || (cause.cause as Error | undefined)?.name === 'TimeoutError')
    return 'context deadline exceeded'
  return cause.message
}
