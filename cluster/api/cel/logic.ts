/** `&&` and `||`: a side that decides makes the other's failure of no matter, whichever comes first. */
import type { Frame, Run } from './frame.ts'
import { CelError, type CelValue } from './value.ts'

/** `deciding`: the side that is all that matters. */
export const decide =
  (left: Run, right: Run, deciding: boolean): Run =>
  frame => {
    const first = outcomeOf(left, frame)
    if (first === deciding) return deciding
    const second = truth(right(frame))
    if (second === deciding) return deciding
    if (first instanceof CelError) throw first
    return second
  }

/** A failure is a value here: the other side may make it of no matter. */
const outcomeOf = (run: Run, frame: Frame): boolean | CelError => {
  try {
    return truth(run(frame))
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

/** Throws CelError for what is neither true nor false. */
export const truth = (value: CelValue): boolean => {
  if (typeof value !== 'boolean') throw new CelError('no such overload')
  return value
}
