/**
 * What Go's encoding/json says of a text that is no JSON: who knows Kubernetes knows these words, and they say where the
 * mistake is. Only for texts that are none; what is JSON is read by the platform.
 */

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d])
const ESCAPES = new Set([...'bfnrt\\/"'].map(letter => letter.charCodeAt(0)))
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
const BLANK = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Go's own bound. */
const MAX_DEPTH = 10_000

/** Thrown inside this file only. */
class Mistake extends Error {}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isHex = (byte: number): boolean =>
  isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)

/** As Go writes a byte: quoted, as the letter of that number. */
const shown = (byte: number): string => {
  const letter = String.fromCharCode(byte)
  if (letter === "'") return "'\\''"
  if (letter === '"') return "'\"'"
  const named = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 92: '\\\\' }[byte]
  if (named !== undefined) return `'${named}'`
  const isPlain = (byte >= 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
  if (isPlain) return `'${letter}'`
  return byte < 0x80 ? `'\\x${byte.toString(16).padStart(2, '0')}'` : `'\\u00${byte.toString(16)}'`
}

class Scan {
  readonly #bytes: Buffer
  #at = 0
  /** Brackets that are open. */
  readonly #open: ('{' | '[')[] = []

  constructor(text: string) {
    this.#bytes = Buffer.from(text)
  }

  /** Throws a Mistake. */
  run(): void {
    for (;;) {
      if (this.#value() === 'opened') continue
      if (this.#close() === 'ended') return
    }
  }

  /** The byte here. */
  #peek(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new Mistake('unexpected end of JSON input')
    return byte
  }

  #skip(): void {
    while (SPACE.has(this.#bytes[this.#at] ?? -1)) this.#at++
  }

  #letter(): string {
    this.#skip()
    return String.fromCharCode(this.#peek())
  }

  /** The byte here, or what Go takes the end for: a space. */
  #here(): number {
    return this.#bytes[this.#at] ?? BLANK
  }

  #bad(context: string): never {
    throw new Mistake(`invalid character ${shown(this.#here())} ${context}`)
  }

  /** Opened: the first member of an object or a list is due. */
  #value(): 'opened' | 'read' {
    const first = this.#letter()
    if (first === '{' || first === '[') return this.#begin(first)
    if (first === '"') this.#text()
    else if (first === '-' || isDigit(this.#peek())) this.#number()
    else this.#literal(LITERALS[first])
    return 'read'
  }

  #begin(bracket: '{' | '['): 'opened' | 'read' {
    this.#at++
    if (this.#open.length === MAX_DEPTH) throw new Mistake('exceeded max depth')
    if (this.#letter() === (bracket === '{' ? '}' : ']')) {
      this.#at++
      return 'read'
    }
    this.#open.push(bracket)
    if (bracket === '{') this.#key()
    return 'opened'
  }

  #key(): void {
    if (this.#letter() !== '"') this.#bad('looking for beginning of object key string')
    this.#text()
    if (this.#letter() !== ':') this.#bad('after object key')
    this.#at++
  }

  /** What follows a value, up to the next one. */
  #close(): 'next' | 'ended' {
    for (;;) {
      const bracket = this.#open.at(-1)
      this.#skip()
      if (bracket === undefined) {
        if (this.#at < this.#bytes.length) this.#bad('after top-level value')
        return 'ended'
      }
      const sign = this.#letter()
      if (sign === ',') {
        this.#at++
        if (bracket === '{') this.#key()
        return 'next'
      }
      if (sign !== (bracket === '{' ? '}' : ']'))
        this.#bad(bracket === '{' ? 'after object key:value pair' : 'after array element')
      this.#at++
      this.#open.pop()
    }
  }

  #text(): void {
    this.#at++
    for (;;) {
      const byte = this.#peek()
      if (byte < 0x20) this.#bad('in string literal')
      this.#at++
      if (byte === QUOTE) return
      if (byte === BACKSLASH) this.#escape()
    }
  }

  #escape(): void {
    if (this.#here() === 0x75) {
      this.#at++
      for (let digit = 0; digit < 4; digit++, this.#at++)
        if (!isHex(this.#here())) this.#bad('in \\u hexadecimal character escape')
    } else {
      if (!ESCAPES.has(this.#here())) this.#bad('in string escape code')
      this.#at++
    }
  }

  #digits(context: string): void {
    if (!isDigit(this.#here())) this.#bad(context)
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at++
  }

  #is(letters: string): boolean {
    return letters.includes(String.fromCharCode(this.#bytes[this.#at] ?? 0))
  }

  #number(): void {
    if (this.#is('-')) this.#at++
    if (this.#is('0')) this.#at++
    else this.#digits('in numeric literal')
    if (this.#is('.')) {
      this.#at++
      this.#digits('after decimal point in numeric literal')
    }
    if (!this.#is('eE')) return
    this.#at++
    if (this.#is('+-')) this.#at++
    this.#digits('in exponent of numeric literal')
  }

  #literal(word: string | undefined): void {
    if (word === undefined) this.#bad('looking for beginning of value')
    for (const letter of word) {
      if (this.#here() !== letter.charCodeAt(0)) this.#bad(`in literal ${word} (expecting '${letter}')`)
      this.#at++
    }
  }
}

/** Undefined: it is JSON. */
export const jsonProblem = (text: string): string | undefined => {
  try {
    new Scan(text).run()
    return undefined
  } catch (error) {
    if (error instanceof Mistake) return error.message
    throw error
  }
}
