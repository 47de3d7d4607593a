/** Paths that a CustomResourceDefinition names fields by (`.spec.replicas`, `.map['key']`), held against a schema. */
import { accepted, type Result, refused } from '#lib/result.ts'
import { isObject } from '../own-property.ts'
import type { Schema } from './schema.ts'

export interface FoundField {
  /** As errors name it: `spec.replicas`, `map[key]`. */
  readonly path: string
  /** Undefined: anything may be there. */
  readonly schema: Schema | undefined
  readonly steps: readonly string[]
}

const TOKEN = /'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+/gy

const UNESCAPED: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const NO_FIELD = 'does not refer to a valid field'

class Reader {
  readonly #tokens: readonly string[]
  #next = 0
  #found: { path: string; schema: Schema | undefined; steps: string[] }

  constructor(text: string, schema: Schema) {
    this.#tokens = text.match(TOKEN) ?? []
    this.#found = { path: '', schema, steps: [] }
  }

  read(brackets: boolean): Result<FoundField, string> {
    for (let token = this.#take(); token !== undefined; token = this.#take()) {
      if (token === '[' && !brackets) return refused('array notation is not allowed')
      const problem =
        token === '[' ? this.#bracket() : token === '.' ? this.#dot() : `expected [ or . but got: ${token}`
      if (problem !== undefined) return refused(problem)
    }
    return accepted(this.#found)
  }

  #take(): string | undefined {
    return this.#tokens[this.#next++]
  }

  #dot(): string | undefined {
    const name = this.#take()
    return name === undefined ? 'unexpected end of JSON path' : this.#descend(name)
  }

  #bracket(): string | undefined {
    const token = this.#take()
    if (token === undefined) return 'unexpected end of JSON path'
    if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) {
      return `expected single quoted string but got ${token}`
    }
    const name = token.slice(1, -1).replace(/\\(.)/g, (_all, letter: string) => UNESCAPED[letter] ?? letter)
    const problem = this.#descend(name)
    if (problem !== undefined) return problem
    const end = this.#take()
    if (end === undefined) return 'unexpected end of JSON path'
    return end === ']' ? undefined : `expected ] but got ${end}`
  }

  #descend(name: string): string | undefined {
    const { path, schema, steps } = this.#found
    const additional = schema?.additional
    if (schema && schema.properties.size > 0) {
      const property = schema.properties.get(name)
      if (!property) return NO_FIELD
      this.#found = { path: path === '' ? name : `${path}.${name}`, schema: property, steps: [...steps, name] }
      return undefined
    }
    if (additional === undefined || additional === false) return NO_FIELD
    const inner = isObject(additional) ? (additional as unknown as Schema) : undefined
    this.#found = { path: `${path}[${name}]`, schema: inner, steps: [...steps, name] }
    return undefined
  }
}

/** Refused: why there is no such field. `brackets`: whether `['key']` may stand for `.key`. */
export const findField = (text: string, schema: Schema, brackets = true): Result<FoundField, string> =>
  new Reader(text, schema).read(brackets)
