/** Regular expressions (RE2, so that none takes longer than its text is long): CEL's `matches`, Kubernetes's `find`. */
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'
import { matchesPattern } from '../cost.ts'
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
      matchesPattern,
    ),
  ),
  method(
    'find',
    [STRING, STRING],
    STRING,
    ([text, pattern]) => findAll(text as string, pattern as string, 1)[0] ?? '',
    matchesPattern,
  ),
  method(
    'findAll',
    [STRING, STRING],
    listOf(STRING),
    ([text, pattern]) => findAll(text as string, pattern as string, -1),
    matchesPattern,
  ),
  method(
    'findAll',
    [STRING, STRING, INT],
    listOf(STRING),
    ([text, pattern, limit]) => findAll(text as string, pattern as string, Number(limit as bigint)),
    matchesPattern,
  ),
]
