/**
 * What calls cost in cel-go's unit, as far as it depends on sizes: when they run, from the values, and at worst, from what
 * is declared. About a tenth a character, so that bounds mean time.
 */
import type { CelValue } from '../value.ts'
import { sizeOf } from '../value.ts'
import {
  comparing,
  type Estimate,
  joining,
  keepingSize,
  matchingPattern,
  REGEX,
  searching,
  TRAVERSAL,
  walking,
  walkingWithin,
} from './estimate.ts'

export interface CallCost {
  /** Charged before the call. Absent: 1. */
  readonly run?: (args: readonly CelValue[]) => number
  /** Absent: 1. */
  readonly worst?: Estimate
}

export const traversal = (size: number): number => Math.ceil(size * TRAVERSAL)

/** `times` walks through the first argument. */
export const walks = (times: number) =>
  ({ run: ([first]) => traversal(sizeOf(first!) * times), worst: walking(times) }) satisfies CallCost

/** The same, where what comes out is as large as what went in. */
export const walksKeeping = (times: number): CallCost => ({ ...walks(times), worst: keepingSize(walking(times)) })

/** `walks` when it runs, and nothing but a call in cel-go's estimate. */
export const walksUnseen = (times: number): CallCost => ({ run: walks(times).run })

export const walksBoth: CallCost = { run: ([a, b]) => traversal(sizeOf(a!) + sizeOf(b!)), worst: joining }

/** To measure the longer one may take more than is paid for: it is left alone where it is the longer one at a glance. */
export const walksShorter = {
  run: ([a, b]) => {
    if (typeof a !== 'string' || typeof b !== 'string') return traversal(Math.min(sizeOf(a!), sizeOf(b!)))
    if (a.length > 2 * b.length) return traversal(sizeOf(b))
    return traversal(b.length > 2 * a.length ? sizeOf(a) : Math.min(sizeOf(a), sizeOf(b)))
  },
  worst: comparing,
} satisfies CallCost

export const walksWithin: CallCost = {
  run: ([a, b]) => traversal(sizeOf(a!)) * traversal(sizeOf(b!)),
  worst: walkingWithin,
}

export const itemsOf = ([list]: readonly CelValue[]): number => sizeOf(list!)

/** Each item of the first argument. */
export const searches: CallCost = { run: itemsOf, worst: searching }

/** A text of `size` against a pattern of `pattern` characters. */
export const matching = (size: number, pattern: number): number => traversal(size + 1) * Math.ceil(pattern * REGEX)

export const matchesPattern = {
  run: ([text, pattern]) => matching(sizeOf(text!), sizeOf(pattern!)),
  worst: matchingPattern,
} satisfies CallCost
