/**
 * One target, fed for a bounded time: seeds as they are, then mutations of them and of whatever ran code that had not run
 * before. A broken law is written down as a new seed.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SeededNumbers } from '../support/malformed-packets.ts'
import { Coverage } from './coverage.ts'
import { mutated, spliced } from './mutate.ts'
import { corpusFolder, type FuzzTarget, seedsOf } from './target.ts'

/** Processor time that no input may take, milliseconds. */
const MOST_PROCESSOR_TIME = 50
/** Without an end after this, the input hangs, milliseconds. */
const MOST_TIME = 10_000
/** Inputs between two looks at what has run. */
const BATCH = 400
/** Of these, how many are tried again at a time. */
const PART = 20
/** Growth of the heap that is no leak: compiled code, caches with a bound of their own. */
const MOST_GROWTH = 64 * 1024 * 1024

export interface Finding {
  readonly input: Buffer
  readonly problem: string
}

export interface FuzzReport {
  readonly runs: number
  /** Parts of the code that ran. */
  readonly covered: number
  /** Inputs that are kept for being new, seeds included. */
  readonly kept: number
  /** Bytes that the heap grew, between the warmed-up start and the end. */
  readonly growth: number
  readonly findings: readonly Finding[]
}

export interface FuzzOptions {
  /** Milliseconds. */
  readonly time: number
  readonly seed: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const heapUsed = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const withDeadline = async (pending: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${MOST_TIME} ms`)), MOST_TIME)
  })
  await Promise.race([pending, late]).finally(() => clearTimeout(timer))
}

/** Milliseconds of processor time; throws where a law is broken. */
const timed = async (target: FuzzTarget, input: Buffer): Promise<number> => {
  const before = process.threadCpuUsage()
  const pending = target.run(input)
  if (pending) await withDeadline(pending)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** What is wrong with an input; undefined: nothing. Slow is only what is slow each time: garbage may be collected meanwhile. */
export const problemWith = async (target: FuzzTarget, input: Buffer): Promise<string | undefined> => {
  try {
    let time = await timed(target, input)
    for (let again = 0; again < 3 && time > MOST_PROCESSOR_TIME; again++)
      time = Math.min(time, await timed(target, input))
    return time > MOST_PROCESSOR_TIME ? `${time} ms of processor time` : undefined
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

/** Writes a finding into the corpus; the path of the file. */
export const keepFinding = (target: FuzzTarget, { input }: Finding): string => {
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const path = join(corpusFolder, target.name, `crash-${digest}.${target.seedForm === 'hex' ? 'hex' : 'txt'}`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, target.seedForm === 'hex' ? `${input.toString('hex').replaceAll(/.{100}/g, '$&\n')}\n` : input)
  return path
}

export class Fuzzer {
  readonly #target: FuzzTarget
  readonly #numbers: SeededNumbers
  readonly #coverage = new Coverage()
  readonly #kept: Buffer[] = []
  readonly #findings = new Map<string, Finding>()
  #runs = 0

  constructor(target: FuzzTarget, seed: number) {
    this.#target = target
    this.#numbers = new SeededNumbers(seed)
  }

  async run(time: number): Promise<FuzzReport> {
    await this.#coverage.start()
    for (const { input } of seedsOf(this.#target)) await this.#tryOne(input, true)
    const end = performance.now() + time
    let start: number | undefined
    while (performance.now() < end) {
      await this.#batch(end)
      // What the first third of the time filled is warm.
      if (start === undefined && performance.now() > end - (time * 2) / 3) start = heapUsed()
    }
    const growth = heapUsed() - (start ?? heapUsed())
    this.#coverage.stop()
    if (growth > MOST_GROWTH) this.#note({ input: Buffer.alloc(0), problem: `the heap grew by ${growth} bytes` })
    const { size: covered } = this.#coverage
    return { runs: this.#runs, covered, kept: this.#kept.length, growth, findings: [...this.#findings.values()] }
  }

  /** Many inputs, then one look: where something new ran, they are tried again, to keep those that did it. */
  async #batch(end: number): Promise<void> {
    const inputs: Buffer[] = []
    while (inputs.length < BATCH && performance.now() < end) {
      const input = this.#next()
      inputs.push(input)
      await this.#tryOne(input, false)
    }
    const fresh = await this.#coverage.takeNew()
    for (let at = 0; at < inputs.length && fresh.size > 0; at += PART) {
      const part = inputs.slice(at, at + PART)
      if (await this.#reaches(part, fresh)) for (const input of part) await this.#keepIfNew(input, fresh)
    }
  }

  async #reaches(inputs: readonly Buffer[], fresh: ReadonlySet<string>): Promise<boolean> {
    for (const input of inputs) await problemWith(this.#target, input)
    return [...(await this.#coverage.take())].some(part => fresh.has(part))
  }

  async #keepIfNew(input: Buffer, fresh: Set<string>): Promise<void> {
    await problemWith(this.#target, input)
    const before = fresh.size
    for (const part of await this.#coverage.take()) fresh.delete(part)
    if (fresh.size < before) this.#kept.push(input)
  }

  async #tryOne(input: Buffer, keep: boolean): Promise<void> {
    this.#runs++
    const problem = await problemWith(this.#target, input)
    if (problem !== undefined) this.#note({ input, problem })
    if (keep) this.#kept.push(input)
  }

  /** One of each kind: the place that threw tells them apart. */
  #note(finding: Finding): void {
    const kind = finding.problem.replaceAll(/\d+/g, '#').split('\n').slice(0, 3).join('\n')
    if (!this.#findings.has(kind)) this.#findings.set(kind, finding)
  }

  #next(): Buffer {
    const numbers = this.#numbers
    const { mutate, words } = this.#target
    const input = numbers.pick(this.#kept)
    const other = numbers.pick(this.#kept)
    const way = numbers.below(8)
    if (mutate && way < 5) return mutate(numbers, input, other)
    if (way === 7) return spliced(numbers, input, other)
    return mutated(numbers, input, words)
  }
}
