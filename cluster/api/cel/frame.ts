/** One evaluation: the variables, and what it has cost. */
import { CelBudgetError, type CelValue } from './value.ts'

/** A variable that is worked out when it is first asked for. */
export type Lazy = () => CelValue

export class Frame {
  /** By the checker's numbers: the program's variables, then those that its macros bind. */
  readonly slots: (CelValue | Lazy | undefined)[]
  readonly #limit: number
  #cost = 0

  constructor(slots: (CelValue | Lazy | undefined)[], limit: number) {
    this.slots = slots
    this.#limit = limit
  }

  /** In cel-go's unit. */
  get cost(): number {
    return this.#cost
  }

  /** Throws CelBudgetError. */
  readonly charge = (cost: number): void => {
    this.#cost += cost
    if (this.#cost > this.#limit) throw new CelBudgetError('operation cancelled: actual cost limit exceeded')
  }

  variable(slot: number): CelValue | undefined {
    const value = this.slots[slot]
    return typeof value === 'function' ? (this.slots[slot] = value()) : value
  }
}

/** A checked part of an expression, ready to run. Throws CelError and CelBudgetError. */
export type Run = (frame: Frame) => CelValue
