/**
 * From text to a tree, by the package's parser. What that does not know of CEL's grammar is written otherwise for it:
 * optional elements of literals (`[?x]`, `{?k: v}`), numbers that begin with a point, raw texts that end with a backslash.
 */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { accepted, type Result, refused } from '#lib/result.ts'
import { showProblem } from './position.ts'
import { codePoints } from './value.ts'

/** Nobody means to nest deeper, and every part of an expression must fit the stack. */
const parser = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 20_000, maxDepth: 150 },
})

export interface Parsed {
  readonly tree: ASTNode
  /** Where question marks stand before elements, in the tree's positions. */
  readonly optionals: ReadonlySet<number>
  /** The problem with the place in the expression as it was written; `position`: in the tree's. */
  show(position: number, text: string): string
}

/** Blanks and comments; texts; names and numbers; signs. */
const TOKEN = new RegExp(
  [
    '(?<blank>\\s+|//.*)',
    '(?<text>[bB]?[rR][bB]?(?:"""[^]*?"""|\'\'\'[^]*?\'\'\'|"[^"\\n]*"|\'[^\'\\n]*\')',
    '[bB]?(?:"""(?:[^\\\\]|\\\\[^])*?"""|\'\'\'(?:[^\\\\]|\\\\[^])*?\'\'\'|"(?:[^"\\\\\\n]|\\\\.)*"|\'(?:[^\'\\\\\\n]|\\\\.)*\'))',
    '(?<word>[a-zA-Z_]\\w*|\\d\\w*(?:\\.\\d\\w*)?)',
    '(?<sign>[^])',
  ].join('|'),
  'gy',
)

const STRAY = /["'\\]/

/** What may need to be written otherwise. */
const SUSPECT = /[?]|\.\d|\\["']/

interface Readable {
  readonly text: string
  readonly optionals: ReadonlySet<number>
  /** Where a sign was put in, in the new text. */
  readonly added: readonly number[]
}

/** Reads the signs one by one, and knows what brackets are around. */
class Rewriter {
  readonly optionals = new Set<number>()
  readonly added: number[] = []
  text = ''
  /** `[` and `{` of literals, `(` of anything else. */
  readonly #around: string[] = []
  #before = ''

  take(token: string, kind: 'blank' | 'text' | 'word' | 'sign', next: string): void {
    if (kind === 'blank') {
      this.text += token
      return
    }
    if (kind === 'sign') this.text += this.#sign(token, next)
    else if (kind === 'text') this.#text(token)
    else this.text += token
    this.#before = kind === 'sign' ? token : kind === 'word' && token === 'in' ? '' : 'operand'
  }

  /** The package takes a backslash before the last quote of a raw text for an escape. */
  #text(token: string): void {
    const [, quote, raw] = /^[rR](["'])(.*\\)\1$/.exec(token) ?? []
    if (quote === undefined || raw === undefined) {
      this.text += token
      return
    }
    this.text += ` ${quote}`
    for (const sign of raw) {
      if (sign === '\\') this.added.push(this.text.length)
      this.text += sign === '\\' ? '\\\\' : sign
    }
    this.text += quote
  }

  get #isBehindOperand(): boolean {
    return ['operand', ')', ']', '}'].includes(this.#before)
  }

  #sign(sign: string, next: string): string {
    if (sign === '(' || sign === '{') this.#around.push(sign)
    // What stands behind something is an index of it.
    if (sign === '[') this.#around.push(this.#isBehindOperand ? '(' : '[')
    if (sign === ')' || sign === ']' || sign === '}') this.#around.pop()
    if (sign === '?' && this.#isAtElement) {
      this.optionals.add(this.text.length)
      return ' '
    }
    if (sign !== '.' || this.#isBehindOperand || !/\d/.test(next)) return sign
    this.added.push(this.text.length)
    return '0.'
  }

  get #isAtElement(): boolean {
    const around = this.#around.at(-1)
    return (around === '[' || around === '{') && (this.#before === ',' || this.#before === around)
  }
}

const rewrite = (source: string): Readable => {
  if (!SUSPECT.test(source)) return { text: source, optionals: new Set(), added: [] }
  const rewriter = new Rewriter()
  for (const match of source.matchAll(TOKEN)) {
    // A quote that nothing ends, a backslash outside of a text: the parser says so, and nobody looks for ends again.
    if (STRAY.test(match.groups?.sign ?? '')) return { text: source, optionals: new Set(), added: [] }
    const [kind] = Object.entries(match.groups ?? {}).find(([, token]) => token !== undefined) ?? ['sign']
    rewriter.take(match[0], kind as 'sign', source[match.index + 1] ?? '')
  }
  return rewriter
}

/** Whether a question mark stands before an element; `from`: where what is before that ends. */
export const isMarked = (optionals: ReadonlySet<number>, from: number, { start }: ASTNode): boolean => {
  if (optionals.size === 0) return false
  for (let at = from; at < start; at++) if (optionals.has(at)) return true
  return false
}

/** Numbers beyond 64 bits have words of their own. */
const wordsOf = ({ summary }: ParseError): string => {
  if (summary.startsWith('Invalid integer: ')) return 'invalid uint literal'
  return summary.startsWith('Invalid number: ') ? 'invalid double literal' : `Syntax error: ${summary}`
}

/** Chains of operators nest as well, and no limit of the parser's sees them. */
export const tooDeep = (expression: string): string =>
  showProblem(expression, 0, 'Syntax error: expression recursion limit exceeded')

/** Characters: cel-go's limit. */
const LONGEST = 100_000

/** Refused: the first problem, as cel-go shows it. */
export const parse = (expression: string): Result<Parsed, string> => {
  const size = codePoints(expression)
  if (size > LONGEST)
    return refused(`ERROR: <input>:-1:0: expression code point size exceeds limit: size: ${size}, limit ${LONGEST}`)
  const { text, optionals, added } = rewrite(expression)
  const show = (position: number, problem: string) =>
    showProblem(expression, position - added.filter(place => place < position).length, problem)
  try {
    return accepted({ tree: parser.parse(text).ast, optionals, show })
  } catch (error) {
    if (error instanceof RangeError) return refused(tooDeep(expression))
    if (!(error instanceof ParseError)) throw error
    return refused(show(error.range?.start ?? 0, wordsOf(error)))
  }
}
