/** An expression's text as tokens: expr-lang's, as far as questions need them. */
import { ExpressionError, type Place } from './expression-error.ts'

export type Token = Place &
  (
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'word' | 'sign' }
    /** Stands after the last one, with an empty text. */
    | { readonly kind: 'end' }
  )

/** Numbers and words take dots, so that a name or an address without quotes is told as one. */
const TOKEN =
  /\s*(?:(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>\d[\w.]*)|(?<word>[A-Za-z_][\w.]*)|(?<sign>\*\*|\|\||&&|[=!<>]=|[-+*/%^?:!<>()[\]{},|#])|(?<stray>\S))/gsy

/** Throws an `ExpressionError`. */
export const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  for (const match of text.matchAll(TOKEN)) tokens.push(readToken(match))
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }]
}

const readToken = ({ 0: whole, index, groups }: RegExpExecArray): Token => {
  const text = whole.trimStart()
  const place = { text, column: index + whole.length - text.length + 1 }
  if (groups?.string !== undefined) return { ...place, kind: 'string', value: readString(place) }
  if (groups?.number !== undefined) return { ...place, kind: 'number', value: readNumber(place) }
  if (groups?.word !== undefined) return { ...place, kind: 'word' }
  if (groups?.sign !== undefined) return { ...place, kind: 'sign' }
  throw new ExpressionError(place, /["'`]/.test(text) ? 'the quote is never closed' : 'is not understood here')
}

/** `42`, `1_000`, `2.5`, `0x2a`, `0o52`, `0b101010`. */
const NUMBER = /^(?:\d[\d_]*(?:\.\d+)?|0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)$/

const readNumber = (place: Place): number => {
  const value = NUMBER.test(place.text) ? Number(place.text.replaceAll('_', '')) : Number.NaN
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new ExpressionError(place, 'is no number (up to 2⁵³); strings stand in single quotes')
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
}

const readString = (place: Place): string => {
  const inside = place.text.slice(1, -1)
  if (place.text.startsWith('`')) return inside
  return inside.replaceAll(/\\(.)/gs, (sequence, char: string) => {
    const plain = escapes[char]
    if (plain === undefined)
      throw new ExpressionError(place, `"${sequence}" is no escape; a backslash is written "\\\\"`)
    return plain
  })
}
