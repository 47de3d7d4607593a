/** The contract of `cases/`: one file each, its default export. */
import type { Stage } from './stage.ts'

/** Figure (with its unit in the name) → value of one round. */
export type Figures = Readonly<Record<string, number>>

export interface BenchCase {
  readonly name: string
  /** How many rounds are enough, where a run has more; absent: none is too many. */
  readonly rounds?: number
  /** Figures of one round: of the case itself, or of each of the subjects that it compares. */
  run(stage: Stage): Promise<Figures | Readonly<Record<string, Figures>>>
}
