/** What a schema declares of the sizes of what an expression may name, and how an estimate finds it. */
import type { Size } from './size.ts'

export interface Declared {
  /** Characters, bytes, items or entries at most; 0 for what has no size. */
  readonly most: number
  readonly items?: Declared | undefined
  readonly keys?: Declared | undefined
  /** By its name in expressions. Undefined: there is none. */
  readonly field?: (name: string) => Declared | undefined
}

/**
 * From a variable to a part of it: names of fields, `@items`, `@values`, `@keys`. Empty: the part is of no variable. The
 * first step is not looked at, as there is one root: what was made by the expression begins at it too, as in cel-go.
 */
export type Path = readonly string[]

const next = (declared: Declared, step: string): Declared | undefined => {
  if (step === '@items' || step === '@values') return declared.items
  return step === '@keys' ? declared.keys : declared.field?.(step)
}

/** Undefined: nothing is declared. */
export const declaredSize = (root: Declared, path: Path): Size | undefined => {
  if (path.length === 0) return undefined
  let declared: Declared | undefined = root
  for (const step of path.slice(1)) declared = declared && next(declared, step)
  return declared && { min: 0, max: declared.most }
}
