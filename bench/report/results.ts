/** What a run of the bench found: case → subject (`''`: the case itself) → figure → its value in each round. */
import { type Summary, summarise } from './statistics.ts'

/** Absent in a round: the case failed then, or the figure was not a number. */
export type Values = readonly (number | null)[]

export interface Results {
  /** ISO 8601. */
  readonly date: string
  readonly machine: Readonly<Record<string, string>>
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>
  /** Load averages over one minute, before the run and after it. */
  readonly load: readonly [before: number, after: number]
  readonly rounds: number
  /** What could not run, or failed, each once. */
  readonly problems: readonly string[]
  readonly cases: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Values>>>>>>
}

/** Where a figure stands. */
export interface Cell {
  readonly case: string
  /** Absent: the case has none. */
  readonly subject?: string
  readonly figure: string
}

const valuesOf = ({ cases }: Results, cell: Cell): Values => cases[cell.case]?.[cell.subject ?? '']?.[cell.figure] ?? []

export const summaryOf = (results: Results, cell: Cell): Summary | undefined =>
  summarise(valuesOf(results, cell).map(value => value ?? undefined))

/** Of the ratios round by round: a slow minute of the machine falls on both sides of one. */
export const ratioOf = (results: Results, cell: Cell, to: Cell): Summary | undefined => {
  const divisors = valuesOf(results, to)
  const ratios = valuesOf(results, cell).map((value, round) => {
    const divisor = divisors[round]
    return value === null || divisor === null || divisor === undefined || divisor === 0 ? undefined : value / divisor
  })
  return summarise(ratios)
}
