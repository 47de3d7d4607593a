/**
 * One of the two servers that are compared: sends requests, keeps what it said about objects (so that the next request
 * can name its uid, resourceVersion or continue token), and tells a reply without what can only differ.
 */
import { Agent, request } from 'node:https'
import { performance } from 'node:perf_hooks'

export interface Call {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** A stream: read until it is quiet. */
  readonly stream?: boolean
}

export interface Told {
  readonly code: number
  readonly type: string | undefined
  readonly warnings: string | undefined
  readonly retryAfter: string | undefined
  readonly body: unknown
}

/** Milliseconds without a byte after which a watch has said what it had to say. */
const QUIET = 150

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

// biome-ignore lint/suspicious/noExplicitAny: whatever a server says.
type Json = any

const ABSENT = '"message":"the server could not find the requested resource"'

export class Side {
  readonly #url: string
  readonly #agent: Agent
  /** By namespace/name: the last state that the server told. */
  readonly objects = new Map<string, { readonly uid: string; readonly resourceVersion: string }>()
  /** Revisions by the number of the step at which they were told. */
  readonly revisions: string[] = []
  readonly continues: string[] = []

  constructor(url: string, tls: { readonly ca: string; readonly cert?: string; readonly key?: string }) {
    this.#url = url
    this.#agent = new Agent({ ...tls, keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  reset(): void {
    this.objects.clear()
    this.revisions.length = 0
    this.continues.length = 0
  }

  async send(call: Call): Promise<Told> {
    const { code, headers, text: said } = await this.#exchange(call)
    // Of a kind that is built in, and it is so here alone, a Status says that something is not there at all.
    const absent = code === 404 && said.includes(ABSENT)
    const text = absent ? '404 page not found\n' : said
    if (absent) headers['content-type'] = 'text/plain'
    const body = parse(text)
    this.#forget(call, code, body)
    // What was only tried is not there, and a row does not say whether its object is still there.
    const tried = call.path.includes('dryRun=All') || call.body?.includes('"dryRun"')
    if (!tried && (call.method === 'GET' || body?.kind !== 'Table')) this.#learn(call, body)
    const warning = headers.warning
    return {
      code,
      type: headers['content-type']?.split(';')[0],
      warnings: warning === undefined ? undefined : String(warning),
      retryAfter: headers['retry-after'],
      body: this.#masked(body),
    }
  }

  #exchange({ method, path, headers = {}, body, stream = false }: Call) {
    return new Promise<{ code: number; headers: Record<string, string | undefined>; text: string }>(
      (resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
        const sent = request(
          this.#url + path,
          { method, agent: this.#agent, headers: { ...length, ...headers } },
          reply => {
            let text = ''
            const done = () => {
              clearInterval(timer)
              resolve({
                code: reply.statusCode ?? 0,
                headers: reply.headers as Record<string, string | undefined>,
                text,
              })
            }
            let last = performance.now()
            const timer = setInterval(() => {
              if (!stream || performance.now() - last < QUIET) return
              done()
              sent.destroy()
            }, 20)
            reply.setEncoding('utf8').on('data', (piece: string) => {
              text += piece
              last = performance.now()
            })
            reply.on('end', done)
            reply.on('error', () => {})
          },
        )
        sent.on('error', reject)
        sent.end(body)
      },
    )
  }

  /** What is gone, or may be. */
  #forget({ method, path }: Call, code: number, body: Json): void {
    const [, namespace, name] = /\/namespaces\/([^/?]+)\/leases(?:\/([^/?]+))?/.exec(path) ?? []
    // What goes together goes in no order: nobody watches from before.
    if (method === 'DELETE' && name === undefined) this.reset()
    const released = body?.metadata?.deletionTimestamp && !body.metadata.finalizers
    if (code === 404 || method === 'DELETE' || released) this.objects.delete(`${namespace}/${name}`)
  }

  #learn({ path, stream }: Call, body: Json): void {
    // Kubernetes's memory may be a little behind what is stored: only a list of what is there now has the newest version.
    const isNewest = !stream && !path.includes('resourceVersion=')
    const lines = Array.isArray(body) ? body.filter(line => line?.type !== 'DELETED').map(line => line?.object) : [body]
    for (const told of lines) {
      const { metadata } = told ?? {}
      // Tokens are opaque, and Kubernetes makes others where a selector names the namespace.
      if (metadata?.continue && !path.includes('fieldSelector=')) this.continues.push(metadata.continue)
      if (isNewest && metadata?.resourceVersion && !metadata.uid) this.revisions.push(metadata.resourceVersion)
      for (const object of [told, ...(told?.items ?? [])]) this.#remember(object?.metadata)
    }
  }

  #remember(metadata: Json): void {
    if (!metadata?.uid || !metadata.resourceVersion) return
    // Gone with this very answer.
    if (metadata.deletionTimestamp && !metadata.finalizers) return
    this.objects.set(`${metadata.namespace}/${metadata.name}`, metadata)
    this.revisions.push(metadata.resourceVersion)
  }

  #masked(value: Json, key = ''): Json {
    if (key === 'items' && Array.isArray(value))
      return value.map(({ kind: _kind, apiVersion: _version, ...item }: Json) => this.#masked(item))
    if (key === 'items' && value === null) return []
    if (key === 'causes') return distinct(value.map((cause: Json) => this.#masked(cause)))
    if (key === 'cells') return value.map((cell: Json) => this.#maskedText(cell ?? '', 'cell'))
    if (Array.isArray(value)) return value.map(member => this.#masked(member))
    if (typeof value === 'string') return this.#maskedText(value, key)
    if (typeof value !== 'object' || value === null) return value
    if (value.details?.causes) value.message = 'CAUSES'
    const kept = Object.entries(value).filter(([name, member]) => !isApart(name, member))
    return Object.fromEntries(kept.map(([name, member]) => [name, this.#masked(member, name)]))
  }

  #maskedText(text: string, key: string): string {
    if (key === 'description') return 'DESCRIPTION'
    if (key === 'resourceVersion' && /^\d+$/.test(text)) return text === '0' ? '0' : 'REVISION'
    if (key === 'continue') return maskedContinue(text)
    if (TIME.test(text)) return 'TIME'
    return (
      text
        // Said of kinds that are built in (apimachinery, DefaultMetaV1FieldSelectorConversion), otherwise of custom ones.
        .replace(
          /^"(.*)" is not a known field selector: only "metadata.name", "metadata.namespace"$/,
          'field label not supported: $1',
        )
        .replace(/(the object provided is unrecognized).*/, '$1')
        .replace(/StorageError: .* AdditionalErrorMsg: /, '')
        .replace(/(accepted media types include): .*/, '$1')
        .replace(' (*unstructured.Unstructured)', '')
        .replace(' (*unstructured.UnstructuredList)', '')
        .replace(/Invalid value: "\{.*\}":/, 'Invalid value: OBJECT:')
        .replace('ObjectMeta.metadata.', 'ObjectMeta.')
        .replace(/ in scheme ".*"/, '')
        .replace(UID, 'UID')
        .replace(/(resource ?version:? (?:in record )?\(?)\d+/gi, '$1N')
        .replace(/current: \d+/g, 'current: N')
        .replace(/resource version: N \(\d+\)/g, 'resource version: N (N)')
        .replace(key === 'cell' ? /^\d+[sm]\d*s?$/ : /$^/, 'AGE')
        .replace(/\bgen-[a-z0-9]{5}\b/g, 'gen-XXXXX')
    )
  }
}

/** Each once, in no order: custom resources are validated more than once. */
const distinct = (values: readonly Json[]): Json[] =>
  [...new Map(values.map(value => [JSON.stringify(value), value]))].sort().map(([, value]) => value)

/** What custom resources have otherwise than built-in ones. */
const isApart = (name: string, member: Json): boolean =>
  name === 'managedFields' ||
  name === 'generation' ||
  (name === 'continue' && member === '') ||
  (name === 'spec' && (member === null || Object.keys(member).length === 0)) ||
  (name === 'type' && (member === 'date' || member === 'string'))

const maskedContinue = (token: string): string => {
  const { rv, start, ...rest } = JSON.parse(Buffer.from(token, 'base64url').toString())
  return JSON.stringify({ ...rest, start: start.replace(/^.*\//, ''), rv: rv < 0 ? rv : 'N' })
}

const parse = (text: string): Json => {
  try {
    return JSON.parse(text)
  } catch {}
  const lines = text.split('\n').filter(line => line !== '')
  try {
    return lines.map(line => JSON.parse(line))
  } catch {
    return text
  }
}
