/** Runs `load/load.c` and reads what it saw. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { compile } from './compile.ts'

export interface LoadQuestion {
  /** Absolute. */
  readonly name: string
  readonly type: keyof typeof recordTypes
}

export interface Load {
  readonly address: string
  readonly port: number
  /** Of `writeQuestions`; they are asked in turn. */
  readonly questions: string
  readonly seconds: number
  /** Queries under way at any time (throughput), or queries a second (latency). */
  readonly pace: { readonly window: number } | { readonly rate: number }
  /** The address to ask from; absent: the system's choice. */
  readonly source?: string
}

export interface LoadReport {
  readonly seconds: number
  readonly sent: number
  readonly received: number
  /** Without a reply within a second. */
  readonly lost: number
  /** Replies without an answer record. */
  readonly empty: number
  readonly truncated: number
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Replies by RCODE. */
  readonly rcodes: readonly number[]
}

/** As libc asks: RD, no EDNS. */
export const writeQuestions = (path: string, questions: readonly LoadQuestion[]): void => {
  const packets = questions.flatMap(({ name, type }) => {
    const query = encodeQuery({ id: 0, name, type: recordTypes[type], recursionDesired: true, edns: undefined })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    return [length, query]
  })
  writeFileSync(path, Buffer.concat(packets))
}

export const runLoad = ({ address, port, questions, seconds, pace, source }: Load): Promise<LoadReport> => {
  const program = compile('load.c')
  if (!program.ok) throw new Error(program.problem)
  const [kind, amount] = Object.entries(pace)[0] as [string, number]
  const args = [address, String(port), questions, String(seconds), kind, String(amount), ...(source ? [source] : [])]
  return new Promise((resolve, reject) => {
    const child = spawn(program.value, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(JSON.parse(output) as LoadReport)
      else reject(new Error(`the load generator ended with ${code}`))
    })
  })
}
