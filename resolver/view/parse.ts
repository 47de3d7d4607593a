/** Tokens made into a tree; whether the types fit is `compile.ts`'s business. */
import { ExpressionError, type Place } from './expression-error.ts'
import { type Token, tokenize } from './token.ts'

export const comparisons = ['==', '!=', '<', '<=', '>', '>='] as const
const stringOperators = ['matches', 'contains', 'startsWith', 'endsWith'] as const

export type Comparison = (typeof comparisons)[number]
export type StringOperator = (typeof stringOperators)[number]
export type Operator = 'or' | 'and' | 'in' | 'not in' | Comparison | StringOperator

export type Node = { readonly place: Place } & (
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'call'; readonly arguments: readonly Node[] }
  | { readonly kind: 'not'; readonly operand: Node }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Node; readonly right: Node }
)

/** How deep parentheses, lists, calls and negations may be nested: the parser recurses. */
const MAXIMUM_DEPTH = 64

/** Throws an `ExpressionError`. */
export const parseExpression = (text: string): Node => new Parser(tokenize(text)).whole()

const spellings: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['||', 'or'],
  ['or', 'or'],
  ['&&', 'and'],
  ['and', 'and'],
  ['in', 'in'],
  ...[...comparisons, ...stringOperators].map(operator => [operator, operator] as const),
])

/** The loosest first; those of one level bind from the left. */
const levelOf = (operator: Operator): number => (operator === 'or' ? 0 : operator === 'and' ? 1 : 2)

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Node {
    const node = this.#binary(0)
    if (this.#token.kind !== 'end') throw new ExpressionError(this.#token, 'an operator is missing before it')
    return node
  }

  get #token(): Token {
    return this.#tokens[this.#at]!
  }

  /** Goes past the sign if it is next. */
  #take(sign: string): boolean {
    const found = this.#token.kind === 'sign' && this.#token.text === sign
    if (found) this.#at++
    return found
  }

  #binary(level: number): Node {
    let left = this.#unary()
    for (;;) {
      const place = this.#token
      const operator = this.#operator()
      if (!operator || levelOf(operator) < level) return left
      this.#at += operator === 'not in' ? 2 : 1
      left = { kind: 'binary', place, operator, left, right: this.#binary(levelOf(operator) + 1) }
    }
  }

  #operator(): Operator | undefined {
    const { kind, text } = this.#token
    if (kind !== 'word' && kind !== 'sign') return undefined
    if (text === 'not' && this.#tokens[this.#at + 1]?.text === 'in') return 'not in'
    return spellings.get(text)
  }

  #unary(): Node {
    this.#depth++
    const place = this.#token
    if (this.#depth > MAXIMUM_DEPTH) throw new ExpressionError(place, `nested more than ${MAXIMUM_DEPTH} deep`)
    const isNegation = this.#take('!') || this.#takeNot()
    const node: Node = isNegation ? { kind: 'not', place, operand: this.#unary() } : this.#operand()
    this.#depth--
    return node
  }

  #takeNot(): boolean {
    const found = this.#token.kind === 'word' && this.#token.text === 'not'
    if (found) this.#at++
    return found
  }

  #operand(): Node {
    const token = this.#token
    if (token.kind === 'end') throw new ExpressionError(token, 'a value is missing at the end')
    this.#at++
    if (token.kind === 'string' || token.kind === 'number') return { kind: 'literal', place: token, value: token.value }
    if (token.kind === 'word') return this.#word(token)
    if (token.text === '[') return { kind: 'list', place: token, items: this.#items(token, ']') }
    if (token.text !== '(') throw new ExpressionError(token, 'stands where a value is missing')
    const node = this.#binary(0)
    if (!this.#take(')')) throw new ExpressionError(token, 'is never closed')
    return node
  }

  #word(place: Place): Node {
    if (place.text === 'true' || place.text === 'false') return { kind: 'literal', place, value: place.text === 'true' }
    if (this.#take('(')) return { kind: 'call', place, arguments: this.#items(place, ')') }
    throw new ExpressionError(place, `is neither a call (like "name()") nor a string (they stand in single quotes)`)
  }

  /** Up to and with the closing sign. */
  #items(opening: Place, closing: string): readonly Node[] {
    const items: Node[] = []
    while (!this.#take(closing)) {
      if (this.#token.kind === 'end') throw new ExpressionError(opening, `"${closing}" is missing`)
      if (items.length > 0 && !this.#take(',')) throw new ExpressionError(this.#token, 'a comma is missing before it')
      items.push(this.#binary(0))
    }
    return items
  }
}
