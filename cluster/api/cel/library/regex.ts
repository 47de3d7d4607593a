/** Regular expressions (RE2, so that none takes longer than its text is long): CEL's `matches`, Kubernetes's `find`. */
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'
import { type CallCost, matchesPattern } from '../cost/call-cost.ts'
import { sizeOf } from '../cost/estimate.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, INT, listOf, STRING } from '../type.ts'
import { CelError } from '../value.ts'

/** Patterns are mostly literals: few, and used again and again. */
const compiled = new LRUCache<string, RE2JS>({ max: 500 })

/** Throws CelError for what is no pattern. */
export const compilePattern = (pattern: string): RE2JS => {
  const known = compiled.get(pattern)
  if (known) return known
  try {
    const made = RE2JS.compile(pattern)
    compiled.set(pattern, made)
    return made
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error))
  }
}

const search = (pattern: string): RE2JS => {
  try {
    return compilePattern(pattern)
  } catch (error) {
    throw new CelError(`Illegal regex: ${(error as Error).message}`)
  }
}

const findAll = (text: string, pattern: string, limit: number): string[] => {
  const matcher = search(pattern).matcher(text)
  const found: string[] = []
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return found
}

/** At worst each character is found by itself. */
const finds: CallCost = {
  ...matchesPattern,
  worst: args => ({ ...matchesPattern.worst(args), size: { min: 0, max: sizeOf(args, 0).max } }),
}

export const REGEX: readonly CelFunction[] = [
  ...[globalFunction, method].map(make =>
    make(
      'matches',
      [STRING, STRING],
      BOOL,
      ([text, pattern]) =>
        compilePattern(pattern as string)
          .matcher(text as string)
          .find(),
      // cel-go estimates the method alone.
      make === method ? matchesPattern : { run: matchesPattern.run },
    ),
  ),
  method(
    'find',
    [STRING, STRING],
    STRING,
    ([text, pattern]) => findAll(text as string, pattern as string, 1)[0] ?? '',
    finds,
  ),
  method(
    'findAll',
    [STRING, STRING],
    listOf(STRING),
    ([text, pattern]) => findAll(text as string, pattern as string, -1),
    finds,
  ),
  method(
    'findAll',
    [STRING, STRING, INT],
    listOf(STRING),
    ([text, pattern, limit]) => findAll(text as string, pattern as string, Number(limit as bigint)),
    finds,
  ),
]
