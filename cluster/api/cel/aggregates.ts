/** Lists and maps that are written out; of a key that stands there twice the last counts. An optional element (`[?x]`, `{?k: v}`) is there if its value is. */
import { LIST_COST, MAP_COST } from './cost/estimate.ts'
import type { Run } from './frame.ts'
import { CelError, type CelValue, Entries, OptionalValue } from './value.ts'

export interface Element {
  readonly run: Run
  readonly isOptional: boolean
}

/** Undefined: there is none. Throws CelError for what is not optional; `of`: what it would be in. */
const present = (value: CelValue, of: string): CelValue | undefined => {
  if (value instanceof OptionalValue) return value.value
  throw new CelError(`cannot initialize optional ${of} from non-optional value ${String(value)}`)
}

export const makeList =
  (elements: readonly Element[]): Run =>
  frame => {
    frame.charge(LIST_COST)
    const list: CelValue[] = []
    for (const { run, isOptional } of elements) {
      const value = run(frame)
      const kept = isOptional ? present(value, 'list element') : value
      if (kept !== undefined) list.push(kept)
    }
    return list
  }

export const makeMap =
  (entries: readonly { readonly key: Run; readonly value: Element }[]): Run =>
  frame => {
    frame.charge(MAP_COST)
    const map = new Entries()
    for (const { key, value } of entries) {
      const at = key(frame)
      const given = value.run(frame)
      const kept = value.isOptional ? present(given, `entry '${String(at)}'`) : given
      if (kept !== undefined) map.put(at, kept)
    }
    return map
  }
