/** One of the two servers that apply the same configurations: its answers without what can only differ. */
import { Agent, request } from 'node:https'
import { isObject } from '#cluster/api/own-property.ts'

export interface ApplyCall {
  readonly method: string
  readonly path: string
  readonly type?: string
  readonly agent?: string
  readonly body?: string
}

export interface ApplyReply {
  readonly code: number
  readonly warnings: string | undefined
  readonly body: unknown
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a server says.
type Json = any

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

export class ApplySide {
  readonly #url: string
  readonly #agent: Agent
  /** By name: the state that the server told last. */
  readonly objects = new Map<string, Json>()

  constructor(url: string, tls: { readonly ca: string; readonly cert?: string; readonly key?: string }) {
    this.#url = url
    this.#agent = new Agent({ ...tls, keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  async send(call: ApplyCall): Promise<ApplyReply> {
    const { code, text, warning } = await this.#exchange(call)
    const body = parse(text)
    this.#learn(call, code, body)
    // Of what is not there Kubernetes repeats the version that the client made up.
    if (call.path.includes('dryRun')) delete body?.metadata?.resourceVersion
    return { code, warnings: warning?.replace(/line \d+: /g, '').replace(/key ".*?"/g, 'KEY'), body: masked(body) }
  }

  #learn({ method, path }: ApplyCall, code: number, body: Json): void {
    if (path.includes('dryRun')) return
    const name = path.split(/[/?]/)[7] ?? ''
    if (code === 404 || (method === 'DELETE' && code === 200)) this.objects.delete(name)
    else if (code < 300 && body?.metadata?.name) this.objects.set(body.metadata.name, body)
  }

  #exchange({ method, path, type, agent = 'nobody', body }: ApplyCall) {
    return new Promise<{ code: number; text: string; warning: string | undefined }>((resolve, reject) => {
      const headers: Record<string, string> = { 'user-agent': agent }
      if (type !== undefined) headers['content-type'] = type
      if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
      const sent = request(this.#url + path, { method, agent: this.#agent, headers }, reply => {
        let text = ''
        reply.setEncoding('utf8').on('data', piece => {
          text += piece
        })
        reply.on('end', () => {
          const warning = reply.headers.warning
          resolve({ code: reply.statusCode ?? 0, text, warning: warning === undefined ? undefined : String(warning) })
        })
      })
      sent.on('error', reject)
      sent.end(body)
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

/**
 * A built-in type always has its structs, printed or not, so nobody owns `spec` itself; custom resources have what was
 * sent. Those steps are left out on both sides, and with them an entry that had nothing else.
 */
const withoutStructs = (fields: Json): Json => {
  const { 'f:spec': spec, 'f:status': status, ...rest } = fields
  const bare = (node: Json) => {
    const { '.': _self, ...parts } = node ?? {}
    return parts
  }
  const { 'f:containers': containers, ...specRest } = bare(spec)
  const kept = bare(containers)
  for (const item of Object.values(kept) as Json[]) if (isEmpty(item['f:resources'])) delete item['f:resources']
  const newSpec = { ...specRest, ...(containers === undefined ? {} : { 'f:containers': kept }) }
  if (isEmpty(newSpec['f:containers'])) delete newSpec['f:containers']
  return {
    ...rest,
    ...(isEmpty(newSpec) ? {} : { 'f:spec': newSpec }),
    ...(isEmpty(bare(status)) ? {} : { 'f:status': bare(status) }),
  }
}

const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0

const entryKey = (entry: Json): string =>
  [entry.operation, entry.manager, entry.apiVersion, entry.subresource].join(' ')

const maskedEntries = (entries: Json[]): Json[] =>
  entries
    .map(entry => ({
      ...entry,
      ...(entry.time ? { time: 'TIME' } : {}),
      fieldsV1: withoutStructs(entry.fieldsV1),
    }))
    .filter(entry => !isEmpty(entry.fieldsV1))
    .sort((a, b) => (entryKey(a) < entryKey(b) ? -1 : 1))

/** Without what is empty: built-in types do not print it, custom resources do. */
const masked = (value: Json, key = ''): Json => {
  if (key === 'managedFields') return maskedEntries(structuredClone(value))
  if (key === 'causes') return distinct(value.map((cause: Json) => masked(cause)))
  if (Array.isArray(value)) return value.map(member => masked(member))
  if (typeof value === 'string') return maskedText(value, key)
  if (!isObject(value)) return value
  const entries = Object.entries(value)
    .map(([name, member]) => [name, masked(member, name)] as const)
    .filter(
      ([, member]) =>
        member !== null &&
        member !== 0 &&
        member !== '' &&
        !isEmpty(member) &&
        !(Array.isArray(member) && member.length === 0),
    )
  return Object.fromEntries(entries)
}

/** Each once, in no order: custom resources are validated more than once. */
const distinct = (values: readonly Json[]): Json[] =>
  [...new Map(values.map(value => [JSON.stringify(value), value]))].sort().map(([, value]) => value)

const maskedText = (text: string, key: string): string => {
  // The causes say the same.
  if (key === 'message' && text.includes('" is invalid: ')) return 'CAUSES'
  if (key === 'resourceVersion') return 'REVISION'
  if (TIME.test(text)) return 'TIME'
  const plain = text.replace(UID, 'UID').replace(/error (strict )?decoding YAML: .*/s, 'error $1decoding YAML')
  // Kubernetes walks maps in no order.
  if (key === 'message' && plain.includes('\n')) return plain.split('\n').sort().join('\n')
  return plain
}
