/** Patterns as people write them into a Corefile: of RE2, whose time is linear in the text that they are held against. */
import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { DirectiveReader } from './directive-reader.ts'
import type { Word } from './syntax.ts'

/** CoreDNS's bound: what a pattern takes in memory grows faster than its text. In characters. */
const MAXIMUM_LENGTH = 10_000

/** A problem says what is wrong, and of which text. */
export const compilePattern = (text: string): Result<RE2JS, string> => {
  if (text.length > MAXIMUM_LENGTH)
    return refused(`"${text.slice(0, 20)}…" is a regular expression of more than ${MAXIMUM_LENGTH} characters`)
  // Few Corefiles have patterns, and no other file is as large.
  const re2: typeof import('re2js') = createRequire(import.meta.url)('re2js')
  try {
    return accepted(re2.RE2JS.compile(text))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return refused(`"${text}" is no regular expression of RE2: ${reason}`)
  }
}

/** Undefined: it was refused. */
export const readPattern = (reader: DirectiveReader, word: Word): RE2JS | undefined => {
  const compiled = compilePattern(word.text)
  if (compiled.ok) return compiled.value
  reader.refuse(word, compiled.problem)
  return undefined
}
