/** The load of DNS over HTTPS (HTTP/2), by h2load. It reads no DNS: one answer is looked at before, and each status. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../test/support/programs.ts'
import type { Load, LoadReport } from './load.ts'
import { percentile } from './report/statistics.ts'

const CONNECTIONS = 4
const FIRST_LINE = /^.*$/m

/** The DNS message that a target gives. */
const fetchAnswer = async ({ address, port }: Load, path: string): Promise<Buffer> => {
  const session = connect(`https://${address}:${port}`, { rejectUnauthorized: false })
  try {
    const stream = session.request({ ':path': path, accept: 'application/dns-message' })
    const chunks: Buffer[] = []
    stream.on('data', chunk => chunks.push(chunk))
    await once(stream, 'end')
    return Buffer.concat(chunks)
  } finally {
    session.destroy()
  }
}

/** h2load's log: start time, status, microseconds, a line a request. */
const readLog = (text: string): { readonly good: readonly number[]; readonly bad: number } => {
  const rows = text
    .trim()
    .split('\n')
    .map(line => line.split('\t'))
  const good = rows.filter(([, status]) => status === '200').map(([, , micros]) => Number(micros))
  return { good, bad: rows.length - good.length }
}

export const runHttpsLoad = async (load: Load): Promise<LoadReport> => {
  const { address, port, questions, seconds, pace } = load
  const program = findProgram('h2load')
  if (!program) throw new Error('there is no h2load (apt-get install nghttp2-client)')
  const answer = await fetchAnswer(load, FIRST_LINE.exec(readFileSync(questions, 'utf8'))![0])
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const log = join(folder, 'requests')
  const each = (amount: number): string => String(Math.ceil(amount / CONNECTIONS))
  const paced = 'rate' in pace ? ['-m', '100', '--rps', each(pace.rate)] : ['-m', each(pace.window)]
  const target = ['-B', `https://${address}:${port}`, '-i', questions]
  try {
    await promisify(execFile)(program, [
      ...['-c', String(CONNECTIONS), '-D', `${seconds * 1000}ms`, '--log-file', log],
      ...paced,
      ...target,
    ])
    const { good, bad } = readLog(readFileSync(log, 'utf8'))
    const sorted = good.toSorted((a, b) => a - b)
    const rcodes = Array.from({ length: 16 }, (_, rcode) => (rcode === (answer[3]! & 15) ? good.length : 0))
    return {
      seconds,
      sent: good.length + bad,
      received: good.length,
      lost: bad,
      empty: answer.readUInt16BE(6) === 0 ? good.length : 0,
      truncated: 0,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
      rcodes,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
