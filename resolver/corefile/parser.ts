/**
 * A Corefile's text as server blocks. Only the structure is checked here; what a directive means is its plugin's
 * business (`options.ts` helps it), what a key means `zone-address.ts`'s.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { type ExpansionOptions, expand } from './expand.ts'
import { lex, type Token } from './lexer.ts'
import type { Corefile, CorefileProblem, Directive, Position, Property, ServerBlock, Word } from './syntax.ts'

export interface ParseOptions extends ExpansionOptions {
  /** What problems call the text: the path as the user gave it. */
  readonly file: string
}

export const parseCorefile = (text: string, options: ParseOptions): Result<Corefile, CorefileProblem> => {
  options.onFile?.(options.file, text)
  const tokens = lex(text, options.file)
  if (!tokens.ok) return tokens
  const expanded = expand(tokens.value, options)
  if (!expanded.ok) return expanded
  try {
    return accepted(new Parser(expanded.value).corefile())
  } catch (error) {
    if (error instanceof SyntaxProblem) return refused(error.problem)
    throw error
  }
}

/** How the parser leaves its recursion; never leaves this file. */
class SyntaxProblem extends Error {
  readonly problem: CorefileProblem

  constructor(position: Position, message: string) {
    super(message)
    this.problem = { position, message }
  }
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  corefile(): Corefile {
    const blocks: ServerBlock[] = []
    while (this.#peek()) blocks.push(this.#block(blocks.length === 0))
    return { blocks }
  }

  #block(first: boolean): ServerBlock {
    const keys = this.#keys()
    const open = this.#peek()
    if (open && isBrace(open, '{')) {
      this.#at++
      return { keys, directives: this.#directives(open, keys[0]!) }
    }
    // A file that is one block needs no braces.
    if (!first || (open && !open.startsLine))
      throw new SyntaxProblem(keys[0]!.position, `"{" expected after the zones of the server block "${keys[0]!.text}"`)
    return { keys, directives: this.#directives(undefined, keys[0]!) }
  }

  /** Words of one line, with commas between them or not; a comma at the line's end goes on with the next line. */
  #keys(): Word[] {
    const keys: Word[] = []
    let more = true
    for (let token = this.#peek(); token; token = this.#peek()) {
      if (isBrace(token, '{') || (token.startsLine && !more)) break
      if (isBrace(token, '}'))
        throw new SyntaxProblem(token.position, 'this "}" closes nothing: there is one "{" too few above it')
      this.#at++
      more = token.text.endsWith(',')
      for (const text of token.text.split(',')) if (text !== '') keys.push({ text, position: token.position })
    }
    const [first] = keys
    const at = this.#peek() ?? this.#tokens.at(-1)!
    if (!first) throw new SyntaxProblem(at.position, 'a server block needs a zone before its "{" (like ".:53 {")')
    if (more) throw new SyntaxProblem(at.position, 'a zone is expected after the comma')
    return keys
  }

  #directives(open: Token | undefined, key: Word): Directive[] {
    const directives: Directive[] = []
    for (;;) {
      const token = this.#peek()
      if (!token) {
        if (!open) return directives
        throw new SyntaxProblem(
          open.position,
          `the server block "${key.text}" opens here and is never closed: a "}" is missing`,
        )
      }
      if (isBrace(token, '}')) {
        if (!open) throw new SyntaxProblem(token.position, 'this "}" closes nothing: there is one "{" too few above it')
        this.#at++
        return directives
      }
      const { name, words, body } = this.#line()
      directives.push({ name, arguments: words, properties: body })
    }
  }

  #properties(open: Token, owner: Word): Property[] {
    const properties: Property[] = []
    for (;;) {
      const token = this.#peek()
      if (!token)
        throw new SyntaxProblem(open.position, `"${owner.text} {" opens here and is never closed: a "}" is missing`)
      if (isBrace(token, '}')) {
        this.#at++
        return properties
      }
      const { name, words, body } = this.#line()
      properties.push({ name, arguments: words, body })
    }
  }

  /** A directive or a property: its name, the other words of its line, and what stands in its braces. */
  #line(): { name: Word; words: Word[]; body: Property[] } {
    const first = this.#tokens[this.#at++]!
    if (isBrace(first, '{'))
      throw new SyntaxProblem(first.position, 'a "{" stands at the end of the line that it belongs to')
    const name = word(first)
    const words: Word[] = []
    for (let token = this.#peek(); token && !token.startsLine; token = this.#peek()) {
      if (isBrace(token, '}')) break
      this.#at++
      if (isBrace(token, '{')) return { name, words, body: this.#properties(token, name) }
      words.push(word(token))
    }
    return { name, words, body: [] }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at]
  }
}

const isBrace = (token: Token, brace: '{' | '}'): boolean => !token.quoted && token.text === brace

const word = ({ text, position }: Token): Word => ({ text, position })
