/**
 * kill -9 of the apiserver at random moments under 64 writers: no acknowledged write is lost, and a watch that is resumed
 * where it broke off misses no event and repeats none. SEAMARK_SOAK_MINUTES says how long; the number is 10.
 */
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import { readAdmin } from '../support/admin-tls.ts'
import { freePort } from '../support/free-port.ts'
import { KillablePart } from '../support/killable-part.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MINUTES = Number(process.env.SEAMARK_SOAK_MINUTES ?? 0.15)
const WRITERS = 64
const WATCHERS = 3
const PATH = '/api/v1/namespaces/default/configmaps'
/** Milliseconds: as long as a request may take before it counts as lost with its server. */
const PATIENCE = 30_000

interface Reply {
  readonly code: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any
}

/** What an object is, by what the server acknowledged: the value that it holds, or that it is not there. */
type State = number | undefined

class Api {
  readonly #url: string
  readonly #agent: Agent
  readonly #tls: object

  constructor(url: string, tls: object) {
    this.#url = url
    this.#tls = tls
    this.#agent = new Agent({ ...tls, keepAlive: true, maxSockets: WRITERS })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Undefined: the answer never came whole. */
  call(method: string, path: string, body?: object): Promise<Reply | undefined> {
    return new Promise(resolve => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
      const headers = { 'content-type': 'application/json', ...length }
      const sent = request(this.#url + path, { method, agent: this.#agent, headers, timeout: PATIENCE }, reply => {
        let whole = ''
        reply.setEncoding('utf8').on('data', piece => {
          whole += piece
        })
        reply.on('error', () => resolve(undefined))
        reply.on('end', () =>
          resolve(reply.complete ? { code: reply.statusCode ?? 0, json: JSON.parse(whole) } : undefined),
        )
      })
      sent.on('timeout', () => sent.destroy())
      sent.on('error', () => resolve(undefined))
      sent.end(text)
    })
  }

  /** Lines of a watch, until it breaks off; `line` is called with each that came whole. */
  watch(path: string, line: (text: string) => void, signal: AbortSignal): Promise<number> {
    return new Promise(resolve => {
      let code = 0
      const sent = request(this.#url + path, { ...this.#tls, agent: false, signal }, reply => {
        code = reply.statusCode ?? 0
        let rest = ''
        reply.setEncoding('utf8').on('data', (piece: string) => {
          const lines = (rest + piece).split('\n')
          rest = lines.pop() ?? ''
          for (const text of lines) line(text)
        })
        reply.on('close', () => resolve(code))
        reply.on('error', () => resolve(code))
      })
      sent.on('error', () => resolve(code))
      sent.end()
    })
  }
}

/** Tells what is wrong; the test fails with the first few. */
class Complaints {
  readonly list: string[] = []
  add(text: string): void {
    if (this.list.length < 20) this.list.push(text)
  }
}

/** One object after another: made, changed a few times, deleted. After a lost answer it looks what has become of it. */
class Writer {
  readonly #api: Api
  readonly #complaints: Complaints
  readonly #id: number
  #turn = 0
  /** Objects that were left, by name; those that are deleted are not kept. */
  readonly kept = new Map<string, number>()
  acknowledged = 0
  lost = 0

  constructor(id: number, api: Api, complaints: Complaints) {
    this.#id = id
    this.#api = api
    this.#complaints = complaints
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#live(`w${this.#id}-${this.#turn++}`, signal)
  }

  async #live(name: string, signal: AbortSignal): Promise<void> {
    let state: State = await this.#write(name, undefined, 0)
    const changes = this.#turn % 5
    for (let change = 0; change < changes && !signal.aborted && state !== undefined; change++)
      state = await this.#write(name, state, state + 1)
    if (this.#turn % 4 !== 0 && state !== undefined) state = await this.#write(name, state, undefined)
    if (state !== undefined) this.kept.set(name, state)
  }

  /** Until the server says what the object is now. */
  async #write(name: string, before: State, after: State): Promise<State> {
    const path = `${PATH}/${name}`
    const body = after === undefined ? undefined : { metadata: { name }, data: { n: String(after) } }
    const [method, target] = before === undefined ? ['POST', PATH] : [body ? 'PUT' : 'DELETE', path]
    const reply = await this.#api.call(method!, target!, body)
    if (reply && reply.code < 300) {
      this.acknowledged++
      return after
    }
    if (reply && reply.code !== 503 && reply.code !== 500)
      this.#complaints.add(`${method} ${target}: ${reply.code} ${JSON.stringify(reply.json)}`)
    this.lost++
    return this.#look(name, before, after)
  }

  /** The write was done or it was not; anything else is wrong. */
  async #look(name: string, before: State, after: State): Promise<State> {
    for (;;) {
      const found = await this.#api.call('GET', `${PATH}/${name}`)
      if (found?.code === 200 || found?.code === 404) {
        const now: State = found.code === 200 ? Number(found.json.data.n) : undefined
        if (now !== before && now !== after) this.#complaints.add(`${name} is ${now}, neither ${before} nor ${after}`)
        return now
      }
      await sleep(systemClock, 50)
    }
  }
}

/** A reflector's view of the collection, by watch alone: each event must follow from the state before it. */
class Watcher {
  readonly #api: Api
  readonly #complaints: Complaints
  readonly state = new Map<string, number>()
  #revision: number
  events = 0
  resumed = 0

  constructor(revision: number, api: Api, complaints: Complaints) {
    this.#revision = revision
    this.#api = api
    this.#complaints = complaints
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${this.#revision}`
      const code = await this.#api.watch(`${PATH}?${query}`, line => this.#take(line), signal)
      if (code !== 0 && code !== 200) this.#complaints.add(`a watch from ${this.#revision} was answered ${code}`)
      this.resumed++
      await sleep(systemClock, 20)
    }
  }

  #take(line: string): void {
    const { type, object } = JSON.parse(line)
    const { name = '', resourceVersion } = object.metadata ?? {}
    const revision = Number(resourceVersion)
    if (type === 'ERROR') {
      this.#complaints.add(line)
      return
    }
    if (type === 'BOOKMARK') {
      this.#revision = Math.max(this.#revision, revision)
      return
    }
    if (!/^w\d/.test(name)) return
    if (!(revision > this.#revision))
      this.#complaints.add(`${type} ${name} at ${revision} came after ${this.#revision}`)
    this.#revision = revision
    this.events++
    this.#follow(type, name, Number(object.data.n))
  }

  /** Values count up by one: what was missed or told twice does not follow. */
  #follow(type: string, name: string, n: number): void {
    const before = this.state.get(name)
    const follows =
      (type === 'ADDED' && before === undefined && n === 0) ||
      (type === 'MODIFIED' && before !== undefined && n === before + 1) ||
      (type === 'DELETED' && before === n)
    if (!follows) this.#complaints.add(`${type} ${name} ${n} after ${before}`)
    if (type === 'DELETED') this.state.delete(name)
    else this.state.set(name, n)
  }
}

const startWorld = async (t: ExecutionContext) => {
  const folder = temporaryFolder(t)
  const port = await freePort()
  const data = join(folder, 'data')
  const args = ['apiserver', '--data-dir', data, '--apiserver-address', `127.0.0.1:${port}`, '--log-level', 'warn']
  const part = new KillablePart(args, join(folder, 'log'))
  t.teardown(() => part.kill())
  await part.start()
  const api = new Api(`https://127.0.0.1:${port}`, readAdmin(join(data, 'admin.kubeconfig')))
  t.teardown(() => api.close())
  return { part, api }
}

/** Until `end`, and longer where the machine is too slow for `enough` by then. */
const killAtRandom = async (part: KillablePart, end: number, enough: () => boolean): Promise<number> => {
  let kills = 0
  for (; performance.now() < end || kills === 0 || !enough(); kills++) {
    await sleep(systemClock, 200 + Math.random() ** 2 * 5_000)
    await part.kill()
    await part.start()
  }
  return kills
}

test('64 writers, and a server that is killed', async t => {
  t.timeout(MINUTES * 60_000 + 300_000)
  const { part, api } = await startWorld(t)
  const complaints = new Complaints()
  const start = Number((await api.call('GET', PATH))?.json.metadata.resourceVersion)
  const watching = new AbortController()
  const writing = new AbortController()
  const watchers = Array.from({ length: WATCHERS }, () => new Watcher(start, api, complaints))
  const writers = Array.from({ length: WRITERS }, (_, id) => new Writer(id, api, complaints))
  const watched = watchers.map(watcher => watcher.run(watching.signal))
  const written = writers.map(writer => writer.run(writing.signal))
  const sum = (count: (writer: Writer) => number) => writers.reduce((total, writer) => total + count(writer), 0)
  const enough = () => sum(({ acknowledged }) => acknowledged) > 100
  const kills = await killAtRandom(part, performance.now() + MINUTES * 60_000, enough)
  writing.abort()
  await Promise.all(written)

  const stored = new Map<string, number>()
  for (const { metadata, data } of (await api.call('GET', PATH))?.json.items ?? [])
    if (/^w\d/.test(metadata.name)) stored.set(metadata.name, Number(data.n))
  const expected = new Map(writers.flatMap(({ kept }) => [...kept]))
  const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  const isCurrent = ({ state }: Watcher) => state.size === stored.size
  for (const deadline = performance.now() + PATIENCE; !watchers.every(isCurrent) && performance.now() < deadline; )
    await sleep(systemClock, 20)
  watching.abort()
  await Promise.all(watched)

  t.log(
    `${kills} kills, ${sum(({ acknowledged }) => acknowledged)} writes acknowledged, ${sum(({ lost }) => lost)} answers lost`,
  )
  t.log(`${watchers.map(({ events, resumed }) => `${events} events over ${resumed} watches`).join('; ')}`)
  t.deepEqual(complaints.list, [])
  t.deepEqual(sorted(stored), sorted(expected), 'what was acknowledged is there, and nothing else')
  for (const { state } of watchers) t.deepEqual(sorted(state), sorted(stored), 'the watch told all of it')
  t.true(kills > 0 && enough())
})
