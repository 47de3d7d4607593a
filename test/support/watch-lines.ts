/** A watch as it comes off the wire, over HTTP/1.1 or HTTP/2: events in order, to be waited for. */
import { connect } from 'node:http2'
import { request } from 'node:https'
import type { ExecutionContext } from 'ava'
import type { RunningApiserver } from './apiserver.ts'

export interface WatchLine {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly object: any
}

/** Milliseconds: an event that has not come by then does not come. */
const DEADLINE = 60_000

export class WatchLines {
  readonly seen: WatchLine[] = []
  code = 0
  #rest = ''
  #ended = false
  #wake: () => void = () => {}
  /** Ends it from the client's side. */
  abort: () => void = () => {}

  readonly feed = (text: string): void => {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.seen.push(JSON.parse(line))
    this.#wake()
  }

  readonly end = (): void => {
    this.#ended = true
    this.#wake()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Resolves when `holds`; rejects when the deadline passes before. */
  async until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + DEADLINE
    while (!holds()) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`waited in vain; the watch gave ${JSON.stringify(this.seen).slice(0, 2000)}`)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** The first `count` events. */
  async take(count: number): Promise<readonly WatchLine[]> {
    await this.until(() => this.seen.length >= count)
    return this.seen.slice(0, count)
  }

  untilEnd(): Promise<void> {
    return this.until(() => this.#ended)
  }
}

/** Resolves when the server has answered. `path` carries `watch=1` itself. */
export const openWatch = async (
  t: ExecutionContext,
  { url, tls }: Pick<RunningApiserver, 'url' | 'tls'>,
  path: string,
  { http2 = false, accept = 'application/json' } = {},
): Promise<WatchLines> => {
  const lines = new WatchLines()
  const opened = http2 ? openSecond(url, tls, path, accept, lines) : openFirst(url, tls, path, accept, lines)
  t.teardown(() => lines.abort())
  await opened
  return lines
}

type Tls = RunningApiserver['tls']

const openFirst = (url: string, tls: Tls, path: string, accept: string, lines: WatchLines): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = request(url + path, { ...tls, agent: false, headers: { accept } }, response => {
      lines.code = response.statusCode ?? 0
      response.setEncoding('utf8').on('data', lines.feed)
      response.on('close', lines.end)
      response.on('error', lines.end)
      resolve()
    })
    sent.on('error', reject)
    lines.abort = () => sent.destroy()
    sent.end()
  })

const openSecond = (url: string, tls: Tls, path: string, accept: string, lines: WatchLines): Promise<void> =>
  new Promise((resolve, reject) => {
    const session = connect(url, tls)
    session.on('error', reject)
    lines.abort = () => session.destroy()
    const stream = session.request({ ':path': path, accept })
    stream.on('response', headers => {
      lines.code = Number(headers[':status'])
      resolve()
    })
    stream.setEncoding('utf8').on('data', lines.feed)
    stream.on('close', lines.end)
    stream.on('error', lines.end)
    stream.end()
  })
