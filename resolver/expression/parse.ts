/** Tokens made into a tree; whether the types fit is `compile.ts`'s business. */
import { ExpressionError, type Place } from './expression-error.ts'
import { type Token, tokenize } from './token.ts'

export const comparisons = ['==', '!=', '<', '<=', '>', '>='] as const
const stringOperators = ['matches', 'contains', 'startsWith', 'endsWith'] as const
const arithmetic = ['+', '-', '*', '/', '%', '**'] as const

export type Comparison = (typeof comparisons)[number]
export type StringOperator = (typeof stringOperators)[number]
export type Arithmetic = (typeof arithmetic)[number]
export type Operator = 'or' | 'and' | 'in' | Comparison | StringOperator | Arithmetic

export type Node = { readonly place: Place } & (
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'call'; readonly arguments: readonly Node[] }
  | { readonly kind: 'variable' | 'element' }
  | { readonly kind: 'not' | 'minus'; readonly operand: Node }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'choice'; readonly condition: Node; readonly then: Node; readonly otherwise: Node }
  | { readonly kind: 'index'; readonly of: Node; readonly at: Node }
  | { readonly kind: 'slice'; readonly of: Node; readonly from: Node | undefined; readonly to: Node | undefined }
)

/** How deep parentheses, lists, calls, negations and choices may be nested: the parser recurses. */
const MAXIMUM_DEPTH = 64

/** Throws an `ExpressionError`. */
export const parseExpression = (text: string): Node => new Parser(tokenize(text)).whole()

const isNegatable = (operator: Operator): boolean =>
  operator === 'in' || stringOperators.some(known => known === operator)

const spellings: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['||', 'or'],
  ['or', 'or'],
  ['&&', 'and'],
  ['and', 'and'],
  ['in', 'in'],
  ['^', '**'],
  ...[...comparisons, ...stringOperators, ...arithmetic].map(operator => [operator, operator] as const),
])

/** Words that mean something by themselves: no names. */
export const reservedWords: ReadonlySet<string> = new Set([
  ...['true', 'false', 'nil', 'not', 'let', 'if', 'else'],
  ...[...spellings.keys()].filter(spelling => /^\w/.test(spelling)),
])

/** The loosest first; those of one level bind from the left, but for powers. */
const levels: readonly (readonly Operator[])[] = [
  ['or'],
  ['and'],
  [...comparisons, ...stringOperators, 'in'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
]
const TIGHTEST = levels.length - 1
const levelOf = (operator: Operator): number => levels.findIndex(level => level.includes(operator))
/** `not` binds as what follows sums, `-` as what follows products: `-2 ** 2` is -4. */
const AFTER_NOT = levelOf('*')
const AFTER_MINUS = levelOf('**')

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Node {
    const node = this.#expression()
    if (this.#token.kind !== 'end') throw new ExpressionError(this.#token, 'an operator is missing before it')
    return node
  }

  get #token(): Token {
    return this.#tokens[this.#at]!
  }

  #isSign(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign
  }

  /** Goes past the sign if it is next. */
  #take(sign: string): boolean {
    const found = this.#isSign(sign)
    if (found) this.#at++
    return found
  }

  #expression(): Node {
    const node = this.#binary(0)
    const place = this.#token
    if (!this.#take('?')) return node
    return this.#deeper(() => {
      const then = this.#expression()
      if (!this.#take(':')) throw new ExpressionError(place, 'has no ":"')
      return { kind: 'choice', place, condition: node, then, otherwise: this.#expression() }
    })
  }

  /** `'a,b' | split(',')` is `split('a,b', ',')`. */
  #piped(first: Node): Node {
    const place = this.#token
    this.#at++
    if (place.kind !== 'word' || !this.#take('(')) throw new ExpressionError(place, 'is no call, which "|" wants')
    return this.#behind({ kind: 'call', place, arguments: [first, ...this.#items(place, ')')] })
  }

  #deeper(read: () => Node): Node {
    this.#depth++
    if (this.#depth > MAXIMUM_DEPTH) throw new ExpressionError(this.#token, `nested more than ${MAXIMUM_DEPTH} deep`)
    const node = read()
    this.#depth--
    return node
  }

  #binary(level: number): Node {
    let left = this.#unary()
    for (;;) {
      if (level === 0 && this.#take('|')) {
        left = this.#piped(left)
        continue
      }
      const place = this.#token
      const isNegated = this.#isNegated()
      const operator = spellings.get(this.#tokens[this.#at + Number(isNegated)]!.text)
      if (!operator || place.kind === 'string' || levelOf(operator) < level) return left
      this.#at += isNegated ? 2 : 1
      // expr-lang: powers from the right.
      const right = levelOf(operator) === TIGHTEST ? this.#binary(TIGHTEST) : this.#binary(levelOf(operator) + 1)
      const node: Node = { kind: 'binary', place, operator, left, right }
      left = isNegated ? { kind: 'not', place, operand: node } : node
    }
  }

  /** `not in`, `not matches` … */
  #isNegated(): boolean {
    const { kind, text } = this.#token
    const operator = spellings.get(this.#tokens[this.#at + 1]?.text ?? '')
    return kind === 'word' && text === 'not' && operator !== undefined && isNegatable(operator)
  }

  #unary(): Node {
    const place = this.#token
    return this.#deeper(() => {
      if (this.#take('!') || this.#takeNot()) return { kind: 'not', place, operand: this.#binary(AFTER_NOT) }
      if (this.#take('-')) return { kind: 'minus', place, operand: this.#binary(AFTER_MINUS) }
      return this.#behind(this.#operand())
    })
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
    if (token.text === '#') return { kind: 'element', place: token }
    if (token.text !== '(') throw new ExpressionError(token, 'stands where a value is missing')
    const node = this.#expression()
    if (!this.#take(')')) throw new ExpressionError(token, 'is never closed')
    return node
  }

  #word(place: Place): Node {
    if (place.text === 'true' || place.text === 'false') return { kind: 'literal', place, value: place.text === 'true' }
    if (this.#take('(')) return { kind: 'call', place, arguments: this.#items(place, ')') }
    return { kind: 'variable', place }
  }

  /** `[1]`, `[1:3]`, `[:3]`, `[1:]`, one behind the other. */
  #behind(node: Node): Node {
    let all = node
    for (let place = this.#token; this.#take('['); place = this.#token) {
      const from = this.#isSign(':') ? undefined : this.#expression()
      if (from && this.#take(']')) {
        all = { kind: 'index', place, of: all, at: from }
        continue
      }
      if (!this.#take(':')) throw new ExpressionError(place, '"]" is missing')
      const to = this.#isSign(']') ? undefined : this.#expression()
      if (!this.#take(']')) throw new ExpressionError(place, '"]" is missing')
      all = { kind: 'slice', place, of: all, from, to }
    }
    return all
  }

  /** Up to and with the closing sign. */
  #items(opening: Place, closing: string): readonly Node[] {
    const items: Node[] = []
    while (!this.#take(closing)) {
      if (this.#token.kind === 'end') throw new ExpressionError(opening, `"${closing}" is missing`)
      if (items.length > 0 && !this.#take(',')) throw new ExpressionError(this.#token, 'a comma is missing before it')
      items.push(this.#item())
    }
    return items
  }

  /** What is asked of the elements of a list may stand in braces. */
  #item(): Node {
    const place = this.#token
    if (!this.#take('{')) return this.#expression()
    const node = this.#expression()
    if (!this.#take('}')) throw new ExpressionError(place, 'is never closed')
    return node
  }
}
