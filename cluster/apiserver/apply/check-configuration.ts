/**
 * Whether an applied configuration fits its type: every field known, every value of the right kind, no item of a list
 * twice. The problems are in the words of Kubernetes's structured merge, which people meet in kubectl's errors.
 */
import { isObject } from '#cluster/api/own-property.ts'
import { type Scalar, type Shape, shapeOfValue, typeSchema } from '#cluster/api/schema.ts'
import { elementOf, NotIdentified } from './list-items.ts'
import { type MergeRule, ruleBehind, structRule } from './merge-rule.ts'
import { describeElement, fieldElement } from './path-element.ts'

interface Problem {
  readonly path: string
  readonly text: string
}

/** As Kubernetes bounds nothing here and a configuration of junk must not become an answer of junk. */
const MAX_PROBLEMS = 100

/** As Go prints a parsed value (`%v`). */
const plainGo = (value: unknown): string => {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(plainGo).join(' ')}]`
  if (!isObject(value)) return String(value)
  const entries = Object.keys(value)
    .sort()
    .map(key => `${key}:${plainGo(value[key])}`)
  return `map[${entries.join(' ')}]`
}

/** As Go prints a parsed value with its type (`%#v`). */
const typedGo = (value: unknown): string => {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(typedGo).join(', ')}}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (!isObject(value)) return String(value)
  const entries = Object.keys(value)
    .sort()
    .map(key => `${JSON.stringify(key)}:${typedGo(value[key])}`)
  return `map[string]interface {}{${entries.join(', ')}}`
}

const goTypeOf = (value: unknown): string => {
  if (Array.isArray(value)) return '[]interface {}'
  if (isObject(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

const TEXTS: ReadonlySet<Scalar> = new Set(['string', 'bytes', 'duration'])
const NUMBERS: ReadonlySet<Scalar> = new Set(['int32', 'int64', 'double'])

const scalarProblem = (value: unknown, scalar: Scalar): string | undefined => {
  if (value === null || scalar === 'any' || scalar === 'object') return undefined
  if (NUMBERS.has(scalar)) {
    return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goTypeOf(value)}`
  }
  if (TEXTS.has(scalar)) {
    return typeof value === 'string'
      ? undefined
      : `expected string, got &value.valueUnstructured{Value:${typedGo(value)}}`
  }
  if (scalar === 'boolean') return typeof value === 'boolean' ? undefined : `expected boolean, got &{${plainGo(value)}}`
  return typeof value === 'object' ? `expected any scalar, got &{${plainGo(value)}}` : undefined
}

class Checker {
  readonly problems: Problem[] = []
  readonly #mayRepeat: boolean

  constructor(mayRepeat: boolean) {
    this.#mayRepeat = mayRepeat
  }

  #report(path: string, text: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ path, text })
  }

  check(value: unknown, declared: Shape, rule: MergeRule, path: string): void {
    const shape = shapeOfValue(declared, value)
    switch (shape.form) {
      case 'scalar': {
        const problem = scalarProblem(value, shape.scalar)
        if (problem !== undefined) this.#report(path, problem)
        return
      }
      case 'list':
        this.#list(value, shape.item, rule, path)
        return
      default:
        this.#object(value, shape, rule, path)
    }
  }

  #object(value: unknown, shape: Shape, rule: MergeRule, path: string): void {
    if (value === null) return
    if (!isObject(value)) {
      this.#report(path, `expected map, got &{${plainGo(value)}}`)
      return
    }
    for (const [key, inner] of Object.entries(value)) {
      const element = fieldElement(key)
      const at = path + describeElement(element)
      const innerShape = memberShape(shape, key)
      if (!innerShape) {
        this.#report(at, 'field not declared in schema')
        return
      }
      this.check(inner, innerShape, ruleBehind(rule, element), at)
    }
  }

  #list(value: unknown, item: Shape, rule: MergeRule, path: string): void {
    if (value === null) return
    if (!Array.isArray(value)) {
      this.#report(path, `expected list, got &{${plainGo(value)}}`)
      return
    }
    const seen = new Set<string>()
    for (const [index, member] of value.entries()) {
      const element =
        rule.form === 'list' || rule.form === 'set' ? this.#identify(member, rule, index, path) : `i:${index}`
      if (element === undefined) return
      const described = describeElement(element)
      if (seen.has(element) && !this.#mayRepeat) this.#report(path, `duplicate entries for key ${described}`)
      seen.add(element)
      this.check(member, item, ruleBehind(rule, element), path + described)
    }
  }

  #identify(item: unknown, rule: Parameters<typeof elementOf>[1], index: number, path: string): string | undefined {
    try {
      return elementOf(item, rule)
    } catch (error) {
      if (!(error instanceof NotIdentified)) throw error
      this.#report(path, `element ${index}: ${error.message}`)
      return undefined
    }
  }
}

const TEXT: Shape = { form: 'scalar', scalar: 'string' }
const ANYTHING: Shape = { form: 'scalar', scalar: 'any' }

/** Undefined: the type has no such field. */
const memberShape = (shape: Shape, key: string): Shape | undefined => {
  if (shape.form === 'map') return shape.item
  if (shape.form !== 'struct') return undefined
  const schema = typeSchema(shape.type)
  if (schema.root && (key === 'apiVersion' || key === 'kind')) return TEXT
  return schema.byName.get(key)?.shape ?? (schema.isOpen ? ANYTHING : undefined)
}

/**
 * What is wrong with a configuration of this type, as one text; undefined: nothing. `mayRepeat`: whether lists may have
 * items twice, as those of objects that are not validated yet.
 */
export const checkConfiguration = (configuration: unknown, type: string, mayRepeat = false): string | undefined => {
  const checker = new Checker(mayRepeat)
  checker.check(configuration, { form: 'struct', type }, structRule(type), '')
  const texts = checker.problems.map(({ path, text }) => (path === '' ? text : `${path}: ${text}`))
  if (texts.length === 0) return undefined
  return texts.length === 1 ? texts[0] : ['errors:', ...texts.map(text => `  ${text}`)].join('\n')
}
