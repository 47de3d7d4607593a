/** Which parts of Seamark's own code have run, by V8's precise coverage. */
import { type Profiler, Session } from 'node:inspector/promises'

const rooms = /\/(?:lib|resolver|server|watcher)\/[^?]*\.ts$/

export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    await this.#session.post('Profiler.takePreciseCoverage')
  }

  get size(): number {
    return this.#seen.size
  }

  /** The parts that have run since the last call. */
  async take(): Promise<ReadonlySet<string>> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    const ran = new Set<string>()
    for (const script of result) if (rooms.test(script.url)) note(ran, script)
    return ran
  }

  /** Those of them that had never run before; from now on they have. */
  async takeNew(): Promise<Set<string>> {
    const fresh = new Set([...(await this.take())].filter(part => !this.#seen.has(part)))
    for (const part of fresh) this.#seen.add(part)
    return fresh
  }

  stop(): void {
    this.#session.disconnect()
  }
}

const note = (ran: Set<string>, { scriptId, functions }: Profiler.ScriptCoverage): void => {
  for (const { ranges } of functions)
    for (const { count, startOffset, endOffset } of ranges)
      if (count > 0) ran.add(`${scriptId}:${startOffset}:${endOffset}`)
}
