/** Master files as entries of words (RFC 1035 §5.1): quotes, escapes, comments, and parentheses that join lines. */
import { makeWord, type Word } from '../wire/presentation-fields.ts'

/** A directive or a record; its words may stand on several lines. */
export interface Entry {
  /** Where it begins, from 1. */
  readonly line: number
  /** Whether the line begins with a word, not with blanks: then the first word is the owner. */
  readonly hasOwner: boolean
  readonly words: readonly Word[]
}

export interface LexicalProblem {
  readonly line: number
  readonly message: string
}

const TOKEN =
  /(?<blank>[ \t\r\f]+)|(?<newline>\n)|(?<comment>;[^\n]*)|(?<group>[()])|"(?<quoted>(?:[^"\\\n]|\\[^\n])*)"|(?<bare>(?:[^\s"();\\]|\\[^\n])+)/uy

class EntryBuilder {
  line = 1
  #start = 1
  #hasOwner = false
  #isAtLineStart = true
  #depth = 0
  #opened = 1
  #words: Word[] = []

  get openedAt(): number | undefined {
    return this.#depth > 0 ? this.#opened : undefined
  }

  /** Anything but the end of a line; a problem in words. */
  take({ newline, comment, group, quoted, bare }: Token): string | undefined {
    if (newline !== undefined || comment !== undefined) return undefined
    const text = quoted ?? bare
    if (text !== undefined) this.#addWord(text, quoted !== undefined)
    this.#isAtLineStart = false
    if (group === '(' && this.#depth++ === 0) this.#opened = this.line
    if (group === ')' && --this.#depth < 0) return '")" without "("'
    return undefined
  }

  #addWord(text: string, quoted: boolean): void {
    if (this.#words.length === 0) {
      this.#start = this.line
      this.#hasOwner = this.#isAtLineStart
    }
    this.#words.push(makeWord(text, quoted))
  }

  /** The entry that the end of the line ends, if it does and there is one. */
  endLine(): Entry | undefined {
    this.line++
    if (this.#depth > 0) return undefined
    this.#isAtLineStart = true
    return this.takeEntry()
  }

  takeEntry(): Entry | undefined {
    if (this.#words.length === 0) return undefined
    const entry = { line: this.#start, hasOwner: this.#hasOwner, words: this.#words }
    this.#words = []
    return entry
  }
}

interface Token {
  readonly blank?: string
  readonly newline?: string
  readonly comment?: string
  readonly group?: string
  readonly quoted?: string
  readonly bare?: string
}

/** Entries in order; the return value is the problem that ended the reading. */
export function* readEntries(text: string): Generator<Entry, LexicalProblem | undefined> {
  const builder = new EntryBuilder()
  const token = new RegExp(TOKEN)
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at
    const found: Token | undefined = token.exec(text)?.groups
    const problem = found ? builder.take(found) : brokenToken(text[at]!)
    if (problem !== undefined) return { line: builder.line, message: problem }
    const entry = found?.newline === undefined ? undefined : builder.endLine()
    if (entry) yield entry
  }
  if (builder.openedAt !== undefined) return { line: builder.openedAt, message: '"(" that is never closed' }
  const last = builder.takeEntry()
  if (last) yield last
  return undefined
}

const brokenToken = (character: string): string =>
  character === '"' ? 'a quote that the line does not end' : 'a backslash at the end of the line'
