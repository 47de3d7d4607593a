/** Asks a server as fast, or as often, as is wanted, by programs that cost less than it, and reads what they saw. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { compile } from './compile.ts'
import { runHttpsLoad } from './https-load.ts'
import type { Load, LoadReport, Transport } from './load.ts'

export interface LoadQuestion {
  /** Absolute. */
  readonly name: string
  readonly type: keyof typeof recordTypes
}

/** As libc asks: RD, no EDNS. */
const encodeQuestion = ({ name, type }: LoadQuestion): Buffer =>
  encodeQuery({ id: 0, name, type: recordTypes[type], recursionDesired: true, edns: undefined })

/** For `transport`: messages with their lengths before them, or the targets of HTTPS requests (RFC 8484 §4.1), one a line. */
export const writeQuestions = (
  path: string,
  questions: readonly LoadQuestion[],
  transport: Transport = 'udp',
): void => {
  const messages = questions.map(encodeQuestion)
  if (transport === 'https') {
    writeFileSync(path, messages.map(message => `/dns-query?dns=${message.toString('base64url')}\n`).join(''))
    return
  }
  const framed = messages.flatMap(message => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    return [length, message]
  })
  writeFileSync(path, Buffer.concat(framed))
}

export const runLoad = (load: Load): Promise<LoadReport> => {
  const { address, port, transport = 'udp', questions, seconds, pace, source, fresh } = load
  if (transport === 'https') return runHttpsLoad(load)
  const program = transport === 'udp' ? compile('load.c') : compile('stream-load.c', ['-lssl', '-lcrypto'])
  if (!program.ok) throw new Error(program.problem)
  const [kind, amount] = Object.entries(pace)[0] as [string, number]
  const common = [address, String(port), questions, String(seconds), kind, String(amount)]
  const args = transport === 'udp' ? [...common, source ?? '-', ...(fresh ? ['fresh'] : [])] : [transport, ...common]
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
