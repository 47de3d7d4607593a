/** One of the two servers that serve the same custom resources: sends requests, and tells answers without what can only differ. */
import { Agent, request } from 'node:https'

// biome-ignore lint/suspicious/noExplicitAny: whatever a server says.
type Json = any

export interface CustomTold {
  readonly code: number
  readonly warnings: readonly string[]
  readonly body: Json
}

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/** Keys that hold a time of the server's own: what a client sent stays as it is. */
const TIMES = new Set(['creationTimestamp', 'time', 'lastTransitionTime', 'deletionTimestamp'])

export class CustomSide {
  readonly #url: string
  readonly #agent: Agent

  constructor(url: string, tls: { readonly ca: string; readonly cert?: string; readonly key?: string }) {
    this.#url = url
    this.#agent = new Agent({ ...tls, keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** `body.fresh`: the object is sent with its newest resourceVersion. */
  async send(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<CustomTold> {
    const sent = body?.fresh ? await this.#freshen(path, body) : body
    const { code, warning, text } = await this.#exchange(method, path, sent, headers)
    return {
      code,
      warnings: (warning ?? '')
        .split(/,\s*(?=299)/)
        .filter(Boolean)
        .sort(),
      body: masked(parse(text)),
    }
  }

  async #freshen(path: string, { fresh: _fresh, ...body }: Json): Promise<Json> {
    const { text } = await this.#exchange(
      'GET',
      path.replace(/\/status|\?.*$/g, '').replace(/\?.*$/, ''),
      undefined,
      {},
    )
    const { resourceVersion } = parse(text)?.metadata ?? {}
    return resourceVersion ? { ...body, metadata: { ...body.metadata, resourceVersion } } : body
  }

  #exchange(method: string, path: string, body: Json, headers: Record<string, string>) {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return new Promise<{ code: number; warning: string | undefined; text: string }>((resolve, reject) => {
      const sent = request(this.#url + path, {
        method,
        agent: this.#agent,
        headers: {
          'user-agent': 'test/1',
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      })
      sent.on('error', reject)
      sent.on('response', reply => {
        let answer = ''
        reply.setEncoding('utf8').on('data', piece => (answer += piece))
        reply.on('end', () => resolve({ code: reply.statusCode ?? 0, warning: reply.headers.warning, text: answer }))
      })
      sent.end(text)
    })
  }
}

const parse = (text: string): Json => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const masked = (value: Json, key = ''): Json => {
  if (key === 'causes') return value.map((cause: Json) => masked(cause)).sort(byText)
  if (key === 'cells')
    return value.map((cell: Json) => (typeof cell === 'string' && /^\d+[sm]\d*s?$/.test(cell) ? 'AGE' : cell))
  // Their order hangs on whether they were written within the same second.
  if (key === 'managedFields') return value.map((entry: Json) => masked(entry)).sort(byText)
  if (Array.isArray(value)) return value.map(member => masked(member))
  if (typeof value === 'string') return maskedText(value, key)
  if (typeof value !== 'object' || value === null) return value
  // Several causes come in the order of a Go map.
  if (value.details?.causes?.length > 1) value.message = 'CAUSES'
  // Kubernetes does not say when a scale was written.
  if (value.subresource === 'scale') delete value.time
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member, name)]))
}

const textOf = ({ manager, operation, subresource, ...rest }: Json): string =>
  `${manager} ${operation} ${subresource} ${JSON.stringify(rest)}`

const byText = (a: Json, b: Json): number => (textOf(a) < textOf(b) ? -1 : 1)

/** Several problems come in the order of a Go map. */
const inOrder = (text: string): string => {
  const [head = '', ...lines] = text.split('\n')
  return head.endsWith('errors:') ? [head, ...lines.sort()].join('\n') : text
}

const maskedText = (text: string, key: string): string => {
  if (key === 'resourceVersion') return 'REVISION'
  if (key === 'description') return 'DESCRIPTION'
  if (TIMES.has(key) && TIME.test(text)) return 'TIME'
  return (
    inOrder(text)
      // It stops at the first such field of an object, and that comes in the order of a Go map as well.
      .replace(/(failed to create typed patch object \([^)]*\)): .*field not declared in schema.*/s, '$1: UNDECLARED')
      .replace(UID, 'UID')
      .replace(/Invalid value: "\{.*\}":/, 'Invalid value: OBJECT:')
      // Kubernetes prints its own structs here.
      .replace(/(Invalid value): \[?\{.*\}\]?: (must|compilation|only)/s, '$1: OBJECT: $2')
      .replace(/(accepted media types include): .*/, '$1')
      .replace(/selfType\d+|object\d+/g, 'TYPE')
  )
}
