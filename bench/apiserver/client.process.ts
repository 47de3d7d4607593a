/**
 * The clients of the apiserver's cases, in a process of their own so that they do not take the server's thread. Started by
 * `runClients` with a job on its standard input; says on its standard output, a line of JSON each, what it found.
 */
import assert from 'node:assert'
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'
import type { ClientMessage, Job, Jobs } from './client.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const job = JSON.parse(String((await lines.next()).value)) as Job
const say = (message: ClientMessage): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const { access } = job
const agentOf = (maxSockets: number): Agent => new Agent({ ...access, keepAlive: true, maxSockets })

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const open = (agent: Agent, path: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): ClientRequest => {
  const type = body === '' ? {} : { 'content-type': 'application/json' }
  const sent = request(access.url + path, { agent, method, headers: { ...type, ...headers } })
  sent.end(body)
  return sent
}

const responseTo = async (sent: ClientRequest): Promise<IncomingMessage> => (await once(sent, 'response'))[0]

const ask = async (agent: Agent, path: string, asked?: Asked): Promise<{ code: number; body: Buffer }> => {
  const response = await responseTo(open(agent, path, asked))
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { code: response.statusCode ?? 0, body: Buffer.concat(chunks) }
}

/** Clients that read an object and write it back with its version, some on the same objects; refused ones try again. */
const update = async ({ clients, paths, seconds }: Jobs['update']): Promise<void> => {
  const agent = agentOf(clients)
  const until = performance.now() + seconds * 1000
  let written = 0
  let conflicts = 0
  const client = async (_: unknown, index: number): Promise<void> => {
    const path = paths[index % paths.length]!
    for (let turn = 0; performance.now() < until; turn++) {
      const { body } = await ask(agent, path)
      const object = JSON.parse(body.toString())
      object.metadata.annotations = { ...object.metadata.annotations, [`client-${index}`]: String(turn) }
      const { code } = await ask(agent, path, { method: 'PUT', body: JSON.stringify(object) })
      if (code === 200) written++
      else if (code === 409) conflicts++
      else throw new Error(`PUT ${path}: ${code}`)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  say({ written, conflicts, seconds: (performance.now() - began) / 1000 })
}

/** One list after the other; pages where they are asked for. */
const list = async ({ lists }: Jobs['list']): Promise<void> => {
  const agent = agentOf(1)
  for (const { name, path, headers } of lists) {
    const began = performance.now()
    let bytes = 0
    for (let next = ''; ; ) {
      const { code, body } = await ask(agent, next === '' ? path : `${path}&continue=${next}`, { headers })
      assert(code === 200, `GET ${path}: ${code} ${body.toString().slice(0, 300)}`)
      bytes += body.length
      // The metadata comes first.
      next = /^.{0,300}"continue":"([^"]+)"/.exec(body.toString('latin1', 0, 1024))?.[1] ?? ''
      if (next === '') break
    }
    say({ list: name, milliseconds: performance.now() - began, bytes })
  }
}

/** Watchers on a connection each; then, told to, one change and the time until the last of them has it. */
const watch = async ({ watchers, path, change }: Jobs['watch']): Promise<void> => {
  const agent = agentOf(Number.POSITIVE_INFINITY)
  const streams: IncomingMessage[] = []
  /** Handshakes at a time: a server that is asked for a thousand at once has nothing else to do. */
  const HANDSHAKES = 32
  let left = watchers
  const opening = async (): Promise<void> => {
    while (left-- > 0) streams.push(await responseTo(open(agent, path)))
  }
  await Promise.all(Array.from({ length: HANDSHAKES }, opening))
  say({ watching: streams.length })
  const changer = agentOf(1)
  await ask(changer, change.path)
  for (let turn = 0; ; turn++) {
    const told = await lines.next()
    if (told.done) break
    const all = Promise.all(streams.map(stream => once(stream, 'data')))
    const began = performance.now()
    const body = JSON.stringify({ metadata: { annotations: { turn: String(turn) } } })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const { code } = await ask(changer, change.path, { method: 'PATCH', headers, body })
    assert(code === 200)
    const answered = performance.now() - began
    await all
    say({ last: performance.now() - began, answered })
  }
}

if (job.type === 'update') await update(job)
else if (job.type === 'list') await list(job)
else await watch(job)
process.exit()
