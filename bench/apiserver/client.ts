/** Runs the clients of a case in their own process (`client.process.ts`). */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Access } from './running-apiserver.ts'

export interface Jobs {
  readonly update: { readonly clients: number; readonly paths: readonly string[]; readonly seconds: number }
  readonly list: {
    readonly lists: readonly {
      readonly name: string
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
    }[]
  }
  /** `change.path`: the object to change, once for each line that is told. */
  readonly watch: { readonly watchers: number; readonly path: string; readonly change: { readonly path: string } }
}

export type Job = {
  [Type in keyof Jobs]: Jobs[Type] & { readonly type: Type; readonly access: Access }
}[keyof Jobs]

export type ClientMessage =
  | { readonly written: number; readonly conflicts: number; readonly seconds: number }
  | { readonly list: string; readonly milliseconds: number; readonly bytes: number }
  | { readonly watching: number }
  /** Milliseconds from the change's request to its answer, and to the last watcher. */
  | { readonly last: number; readonly answered: number }

const program = fileURLToPath(new URL('client.process.ts', import.meta.url))

export class Clients {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(job: Job) {
    this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.#child.stdin.write(`${JSON.stringify(job)}\n`)
  }

  /** What it says next. */
  async next<Message extends ClientMessage>(): Promise<Message> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the clients have ended')
    return JSON.parse(value) as Message
  }

  /** Starts the next turn. */
  tell(): void {
    this.#child.stdin.write('\n')
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
  }
}
