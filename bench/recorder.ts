/** Gathers what cases give, round by round. */
import type { BenchCase, Figures } from './bench-case.ts'
import type { Results } from './report/results.ts'

type Given = Awaited<ReturnType<BenchCase['run']>>

const isTable = (given: Given): given is Readonly<Record<string, Figures>> =>
  Object.values(given).some(value => typeof value === 'object')

export class Recorder {
  readonly #rounds: number
  readonly #cases: Record<string, Record<string, Record<string, (number | null)[]>>> = {}

  constructor(rounds: number) {
    this.#rounds = rounds
  }

  /** `round`: from 0 on. */
  add(name: string, round: number, given: Given): void {
    const subjects = (this.#cases[name] ??= {})
    for (const [subject, figures] of Object.entries(isTable(given) ? given : { '': given })) {
      const rows = (subjects[subject] ??= {})
      for (const [figure, value] of Object.entries(figures)) {
        rows[figure] ??= Array.from({ length: this.#rounds }, () => null)
        rows[figure][round] = Number.isFinite(value) ? Number(value.toPrecision(4)) : null
      }
    }
  }

  get cases(): Results['cases'] {
    return this.#cases
  }
}
