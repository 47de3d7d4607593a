/**
 * Label selectors as the `labelSelector` parameter writes them: `a=b,c!=d,e in (f,g),!h,i>3`. Syntax, meaning and the
 * words of errors as Kubernetes has them (apimachinery labels.Parse).
 */

import { checkLabelValue, checkQualifiedName } from '#cluster/api/name.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

export type LabelOperator = 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: ReadonlySet<string>
}

export type LabelSelector = readonly LabelRequirement[]

const SYMBOLS = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'] as const
const OPERATORS = ['=', '==', 'in', '!=', 'notin', '>', '<'] as const
const isOperator = (token: string): boolean => (OPERATORS as readonly string[]).includes(token)

const tokenize = (text: string): string[] => {
  const tokens: string[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const symbol = SYMBOLS.find(candidate => text.startsWith(candidate, at))
    if (symbol) {
      tokens.push(symbol)
      at += symbol.length
      continue
    }
    const word = /^[^\s=!(),<>]+/.exec(text.slice(at))![0]
    tokens.push(word)
    at += word.length
  }
  return tokens
}

const isWord = (token: string | undefined): token is string =>
  token !== undefined && !(SYMBOLS as readonly string[]).includes(token)

class SelectorError extends Error {}

const fail = (message: string): never => {
  throw new SelectorError(message)
}

/** Thrown problems never leave this file: the parser is small, and a Result at each step would bury the grammar. */
class Parser {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    while (this.#peek() !== undefined) {
      const token = this.#peek()
      if (!isWord(token) && token !== '!') fail(`found '${token ?? ''}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const separator = this.#next()
      if (separator === undefined) break
      if (separator !== ',') fail(`found '${separator}', expected: ',' or 'end of string'`)
      const after = this.#peek()
      if (!isWord(after) && after !== '!') fail(`found '${after ?? ''}', expected: identifier after ','`)
    }
    return requirements
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++]
  }

  #requirement(): LabelRequirement {
    try {
      return this.#readRequirement()
    } catch (error) {
      if (error instanceof SelectorError) error.message = `unable to parse requirement: ${error.message}`
      throw error
    }
  }

  #readRequirement(): LabelRequirement {
    const absent = this.#peek() === '!'
    if (absent) this.#at++
    const key = this.#next()
    if (!isWord(key)) return fail(`found '${key ?? ''}', expected: identifier`)
    const problems = checkQualifiedName(key)
    if (problems.length > 0) fail(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`)
    const after = this.#peek()
    if (absent || after === undefined || after === ',')
      return { key, operator: absent ? 'absent' : 'exists', values: new Set() }
    this.#at++
    if (!isOperator(after)) fail(`found '${after}', expected: in, notin, =, ==, !=, gt, lt`)
    return this.#operation(key, after)
  }

  #operation(key: string, token: string): LabelRequirement {
    if (token === 'in' || token === 'notin') {
      const values = this.#values()
      for (const value of values) checkValue(key, value)
      return { key, operator: token, values: new Set(values) }
    }
    const value = this.#exactValue()
    if (token === '>' || token === '<') {
      if (!/^[+-]?\d+$/.test(value))
        fail(
          `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        )
      return { key, operator: token === '>' ? 'gt' : 'lt', values: new Set([value]) }
    }
    checkValue(key, value)
    return { key, operator: token === '!=' ? 'notin' : 'in', values: new Set([value]) }
  }

  #exactValue(): string {
    const token = this.#peek()
    if (token === undefined || token === ',') return ''
    this.#at++
    return isWord(token) ? token : fail(`found '${token}', expected: identifier`)
  }

  #values(): string[] {
    const open = this.#next()
    if (open !== '(') fail(`found '${open ?? ''}' expected: '('`)
    const values: string[] = []
    let expected = "',', ')' or identifier"
    for (let expectValue = true; ; ) {
      const token = this.#next()
      if (isWord(token) && expectValue) {
        values.push(token)
        expectValue = false
        expected = "',' or ')'"
      } else if (token === ',') {
        if (expectValue) values.push('')
        expectValue = true
        expected = "',', or identifier"
      } else if (token === ')') {
        if (expectValue) values.push('')
        return values
      } else {
        fail(`found '${token ?? ''}', expected: ${expected}`)
      }
    }
  }
}

const checkValue = (key: string, value: string): void => {
  const problems = checkLabelValue(value)
  if (problems.length > 0) fail(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`)
}

/** The problem is the sentence of the 400. */
export const parseLabelSelector = (text: string): Result<LabelSelector, string> => {
  try {
    return accepted(new Parser(text).parse())
  } catch (error) {
    if (error instanceof SelectorError) return refused(error.message)
    throw error
  }
}

const compare = (requirement: LabelRequirement, value: string | undefined): boolean => {
  if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
  const bound = BigInt([...requirement.values][0]!.replace('+', ''))
  const number = BigInt(value.replace('+', ''))
  return requirement.operator === 'gt' ? number > bound : number < bound
}

const holds = (requirement: LabelRequirement, value: string | undefined): boolean => {
  switch (requirement.operator) {
    case 'in':
      return value !== undefined && requirement.values.has(value)
    case 'notin':
      return value === undefined || !requirement.values.has(value)
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    default:
      return compare(requirement, value)
  }
}

export const matchesLabels = (selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean =>
  selector.every(requirement =>
    holds(requirement, labels && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined),
  )
