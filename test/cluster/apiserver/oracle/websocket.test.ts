/** Watches over websockets beside Kubernetes' own: what comes over them, byte for byte, and which handshakes are taken. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { startApiserver } from '../../../support/apiserver.ts'
import { startOracle } from '../../../support/oracle.ts'
import { definition } from './custom-definition.ts'
import { CustomSide } from './custom-side.ts'
import { object, serve, THINGS } from './custom-world.ts'

interface Door {
  readonly url: string
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string }
  readonly side: CustomSide
}

/** As the page of that server would. */
const connect = (t: ExecutionContext, { url, tls }: Door, path: string, options: Record<string, unknown> = {}) => {
  const { protocols = [], headers = {} } = options as { protocols?: string[]; headers?: Record<string, string> }
  const socket = new WebSocket(url.replace(/^https/, 'wss') + path, protocols, { ...tls, origin: url, headers })
  t.teardown(() => socket.terminate())
  return socket
}

/** What can only differ between two servers. */
const masked = (text: string): string =>
  text
    .replace(/"(resourceVersion|uid|creationTimestamp|time|Age)":"[^"]*"/g, '"$1":"…"')
    .replace(/"description":"(?:[^"\\]|\\.)*"/g, '"description":"…"')
    .replace(/"\d+s"/g, '"AGE"')

/** Members in one order: Go sorts those of maps. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  // What a bookmark has not is empty there or null, by who made the column.
  const cells = (member: unknown) => (member as unknown[]).map(cell => cell ?? '')
  return Object.fromEntries(entries.map(([key, member]) => [key, key === 'cells' ? cells(member) : sorted(member)]))
}

interface Message {
  readonly binary: boolean
  readonly end: string
  readonly event: unknown
}

const messages = (t: ExecutionContext, door: Door, path: string, headers: Record<string, string>, count: number) =>
  new Promise<Message[]>((resolve, reject) => {
    const socket = connect(t, door, path, { headers })
    const seen: Message[] = []
    socket.on('error', reject)
    socket.on('close', code => reject(new Error(`it ended with ${code}`)))
    socket.on('message', (data: Buffer, binary) => {
      const text = data.toString()
      seen.push({ binary, end: text.slice(-2), event: sorted(JSON.parse(masked(text))) })
      if (seen.length === count) resolve(seen)
    })
  })

/** The code of the answer to a handshake, and the protocol that was chosen. */
const handshake = (t: ExecutionContext, door: Door, options: Record<string, unknown>) =>
  new Promise<{ code: number; protocol: string }>((resolve, reject) => {
    const socket = connect(t, door, `${THINGS}?watch=1`, options)
    socket.on('open', () => resolve({ code: 101, protocol: socket.protocol }))
    socket.on('unexpected-response', (_request, answer) => resolve({ code: answer.statusCode ?? 0, protocol: '' }))
    socket.on('error', reject)
  })

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
const METADATA = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' }

test('messages and handshakes are those of Kubernetes', async t => {
  t.timeout(240_000)
  const oracle = await startOracle(t)
  if (!oracle) return
  const server = await startApiserver(t, { bare: true })
  await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } })
  const places = [
    { url: oracle.url, tls: { ca: readFileSync(oracle.authority, 'utf8') } },
    { url: server.url, tls: server.tls },
  ]
  const doors: Door[] = places.map(({ url, tls }) => ({ url, tls, side: new CustomSide(url, tls) }))
  for (const { side } of doors) {
    t.teardown(() => side.close())
    await serve(side, definition(), THINGS)
    for (const name of ['a', 'b']) await side.send('POST', THINGS, object(name, { spec: { size: 1 } }))
  }
  const initial = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  for (const headers of [{}, TABLE, METADATA]) {
    const [theirs, ours] = await Promise.all(doors.map(door => messages(t, door, `${THINGS}?${initial}`, headers, 3)))
    const [first, second, bookmark] = theirs ?? []
    t.deepEqual(ours, [first, second, bookmark], JSON.stringify(headers))
  }
  const handshakes = [{}, { protocols: ['base64.binary.k8s.io'] }, { protocols: ['a', 'b'] }]
  for (const options of handshakes) {
    const [theirs, ours] = await Promise.all(doors.map(door => handshake(t, door, options)))
    t.deepEqual(ours, theirs, JSON.stringify(options))
  }
})
