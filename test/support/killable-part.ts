/** A program of Seamark's as a process that a test kills and starts again, with the same arguments. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './cluster.ts'

export interface PartReady {
  readonly type: 'ready'
  readonly addresses: Readonly<Record<string, string>>
}

export class KillablePart {
  readonly #args: readonly string[]
  readonly #log: string
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()

  /** `log`: the file that its output is appended to. */
  constructor(args: readonly string[], log: string) {
    this.#args = args
    this.#log = log
  }

  /** Resolves with the addresses that it bound once it says that it is ready; rejects when it ends before that. */
  start(): Promise<PartReady['addresses']> {
    const log = openSync(this.#log, 'a')
    const child = spawn(process.execPath, [join(projectRoot, 'cmd/main.ts'), ...this.#args], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    closeSync(log)
    this.#child = child
    this.#exited = new Promise(resolve => child.once('exit', resolve))
    return new Promise((resolve, reject) => {
      child.on('message', (message: PartReady | { readonly type: 'failed' }) => {
        if (message.type === 'ready') resolve(message.addresses)
      })
      child.once('exit', () =>
        reject(new Error(`${this.#args[0]} ended:\n${readFileSync(this.#log, 'utf8').slice(-2000)}`)),
      )
    })
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }
}
