/** Many clients that send the same request as fast as they are answered, by h2load, which costs less than any server. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../../test/support/programs.ts'
import { percentile } from '../report/statistics.ts'

export interface HttpLoad {
  readonly url: string
  readonly body: Buffer | string
  readonly headers: Readonly<Record<string, string>>
  /** Each has one request under way at a time. */
  readonly clients: number
  /** They share so many (HTTP/2). Default: each has its own. */
  readonly connections?: number
  readonly seconds: number
  /** Seconds before those, in which nothing counts. Default: as long as connections take to be made. */
  readonly warmUp?: number
  readonly protocol: 'HTTP/1.1' | 'HTTP/2'
}

export interface HttpLoadReport {
  /** Requests that were answered with a 2xx. */
  readonly good: number
  /** The HTTP status of each other; 0: it was not answered. */
  readonly bad: readonly number[]
  readonly perSecond: number
  /** Milliseconds. */
  readonly p99: number
}

const WARM_UP = 1

interface Row {
  /** Microseconds. */
  readonly began: number
  readonly status: number
  readonly micros: number
}

/** h2load's log: start time, status, microseconds, a line a request; in the order in which they were sent. */
const readLog = (text: string): readonly Row[] =>
  text
    .trim()
    .split('\n')
    .map(line => line.split('\t'))
    .map(([began, status, micros]) => ({ began: Number(began), status: Number(status), micros: Number(micros) }))
    .toSorted((a, b) => a.began - b.began)

const isGood = ({ status }: { readonly status: number }): boolean => status >= 200 && status < 300

export const runHttpLoad = async (load: HttpLoad): Promise<HttpLoadReport> => {
  const program = findProgram('h2load')
  if (!program) throw new Error('there is no h2load (apt-get install nghttp2-client)')
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const [body, log] = [join(folder, 'body'), join(folder, 'requests')]
  writeFileSync(body, load.body)
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { clients, connections = clients, warmUp = WARM_UP } = load
  const pace = [
    '-c',
    String(connections),
    '-m',
    String(clients / connections),
    '-D',
    String(load.seconds),
    `--warm-up-time=${warmUp}`,
  ]
  const protocol = load.protocol === 'HTTP/1.1' ? ['--h1'] : []
  try {
    await promisify(execFile)(program, [...protocol, ...pace, ...headers, '-d', body, '--log-file', log, load.url])
    // h2load forgets the status of requests that the end of its warm-up found under way: at most one a client, the first.
    const rows = readLog(readFileSync(log, 'utf8')).filter(({ status }, index) => status !== 0 || index >= clients)
    const good = rows.filter(isGood)
    const bad = rows.filter(row => !isGood(row)).map(({ status }) => status)
    const sorted = good.map(({ micros }) => micros).toSorted((a, b) => a - b)
    const perSecond = good.length / load.seconds
    return { good: good.length, bad, perSecond, p99: percentile(sorted, 0.99) / 1000 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
