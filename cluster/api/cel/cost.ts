/** cel-go's unit of cost, as far as it depends on sizes: about a tenth a character, so that bounds mean time. */
import type { CelFunction } from './function.ts'
import { sizeOf } from './value.ts'

type Cost = NonNullable<CelFunction['cost']>

const TRAVERSAL = 0.1
const REGEX = 0.25

export const traversal = (size: number): number => Math.ceil(size * TRAVERSAL)

/** `times` walks through the first argument. */
export const walks =
  (times: number): Cost =>
  ([first]) =>
    traversal(sizeOf(first!) * times)

export const walksBoth: Cost = ([a, b]) => traversal(sizeOf(a!) + sizeOf(b!))

/** To measure the longer one may take more than is paid for: it is left alone where it is the longer one at a glance. */
export const walksShorter: Cost = ([a, b]) => {
  if (typeof a !== 'string' || typeof b !== 'string') return traversal(Math.min(sizeOf(a!), sizeOf(b!)))
  if (a.length > 2 * b.length) return traversal(sizeOf(b))
  return traversal(b.length > 2 * a.length ? sizeOf(a) : Math.min(sizeOf(a), sizeOf(b)))
}

export const walksWithin: Cost = ([a, b]) => traversal(sizeOf(a!)) * traversal(sizeOf(b!))

export const itemsOf = ([list]: Parameters<Cost>[0]): number => sizeOf(list!)

/** A text of `size` against a pattern of `pattern` characters. */
export const matching = (size: number, pattern: number): number => traversal(size + 1) * Math.ceil(pattern * REGEX)

export const matchesPattern: Cost = ([text, pattern]) => matching(sizeOf(text!), sizeOf(pattern!))
