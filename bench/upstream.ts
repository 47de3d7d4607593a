/**
 * The upstream of the servers that are measured, a process that costs little (`load/upstream.c`): every name has one
 * address. It answers at most `capacity` questions a second and is silent to the others, as a resolver that has too much
 * to do.
 */
import assert from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { compile } from './compile.ts'

export class UpstreamStub {
  #child: ChildProcess | undefined
  #port = 0

  get port(): number {
    return this.#port
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Questions a second; infinite: all. */
  set capacity(capacity: number) {
    this.#child?.stdin?.write(`${Number.isFinite(capacity) ? capacity : -1}\n`)
  }

  async open(): Promise<void> {
    const program = compile('upstream.c')
    if (!program.ok) throw new Error(program.problem)
    this.#child = spawn(program.value, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    assert(stdout)
    const [line] = await once(stdout, 'data')
    this.#port = Number(line)
  }

  close(): void {
    this.#child?.kill('SIGKILL')
  }
}
