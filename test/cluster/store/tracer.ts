/** System calls of another process, seen and made to fail by strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { findProgram, skip } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

export interface Call {
  readonly name: string
  readonly text: string
}

/** The system calls of a trace (`strace -f -y`) in the order in which they ended. */
export const readTrace = (trace: string): Call[] => {
  const begun = new Map<string, string>()
  const calls: Call[] = []
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const unfinished = rest.indexOf(' <unfinished ...>')
    if (unfinished >= 0) {
      begun.set(thread, rest.slice(0, unfinished))
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const text = resumed ? `${begun.get(thread) ?? ''}${resumed[1]}` : rest
    const name = /^(\w+)\(/.exec(text)?.[1]
    if (name) calls.push({ name, text })
  }
  return calls
}

/** The path of strace, when it may trace. */
export const findTracer = async (t: ExecutionContext): Promise<string | undefined> => {
  const strace = findProgram('strace')
  if (!strace) return void skip(t, 'strace is not installed')
  const probe = ['-f', '-o', join(temporaryFolder(t), 'probe'), 'true']
  const [refused] = await once(spawn(strace, probe, { stdio: 'ignore' }), 'exit')
  return refused === 0 ? strace : void skip(t, 'ptrace is not permitted')
}
