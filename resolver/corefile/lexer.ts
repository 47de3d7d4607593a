/**
 * A Corefile's text as words.
 *
 * White space separates; `"…"` keeps it (and may run over lines; `\"` is a quote in it, every other backslash is
 * itself); `#` starts a comment, also inside a word; a backslash that ends a line continues it. This is the language of
 * the Caddy 1 lexer that CoreDNS uses, plus the continuation. A quoted `{` is a word, not a brace.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import type { CorefileProblem, Position } from './syntax.ts'

export interface Token {
  readonly text: string
  readonly position: Position
  /** The first of its line: braces and quotes may hold line ends, so the line number alone does not tell. */
  readonly startsLine: boolean
  readonly quoted: boolean
}

export const lex = (text: string, file: string): Result<readonly Token[], CorefileProblem> => {
  // No path and no name has one, and the system's calls throw at it.
  const nul = text.indexOf('\0')
  if (nul >= 0) {
    const line = text.slice(0, nul).split('\n').length
    return refused({ position: { file, line }, message: 'a NUL character: this is no text' })
  }
  return new Lexer(text, file).run()
}

class Lexer {
  readonly #text: string
  readonly #file: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  #startsLine = true

  constructor(text: string, file: string) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    this.#file = file
  }

  run(): Result<readonly Token[], CorefileProblem> {
    while (this.#skipSpace()) {
      const problem = this.#text[this.#at] === '"' ? this.#quotedWord() : this.#plainWord()
      if (problem) return refused(problem)
    }
    return accepted(this.#tokens)
  }

  /** Moves to the next word; false at the end of the text. */
  #skipSpace(): boolean {
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!
      if (char === '\n') {
        this.#line++
        this.#startsLine = true
      } else if (char === '#') {
        this.#skipComment()
      } else if (this.#continuesLine()) {
        this.#at = this.#text.indexOf('\n', this.#at)
        this.#line++
      } else if (!/\s/.test(char)) {
        return true
      }
    }
    return false
  }

  /** Up to, not including, the line's end. */
  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = (end === -1 ? this.#text.length : end) - 1
  }

  #continuesLine(): boolean {
    return this.#text.startsWith('\\\n', this.#at) || this.#text.startsWith('\\\r\n', this.#at)
  }

  #plainWord(): undefined {
    const start = this.#at
    while (this.#at < this.#text.length && !/[\s#]/.test(this.#text[this.#at]!) && !this.#continuesLine()) this.#at++
    this.#push(this.#text.slice(start, this.#at), this.#line, false)
    return undefined
  }

  #quotedWord(): CorefileProblem | undefined {
    const line = this.#line
    let word = ''
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!
      if (char === '"') {
        this.#at++
        this.#push(word, line, true)
        return undefined
      }
      if (char === '\n') this.#line++
      if (char === '\\' && this.#text[this.#at + 1] === '"') this.#at++
      word += this.#text[this.#at]
    }
    return { position: { file: this.#file, line }, message: 'the quote that opens here is never closed' }
  }

  #push(text: string, line: number, quoted: boolean): void {
    this.#tokens.push({ text, position: { file: this.#file, line }, startsLine: this.#startsLine, quoted })
    this.#startsLine = false
  }
}
