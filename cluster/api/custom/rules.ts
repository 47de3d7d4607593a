/**
 * Validation rules of a schema (KEP-2876): compiled once, run over an object and what it was. All rules of an object share
 * one budget, so that no object holds the server up.
 */
import { CALL_LIMIT, compile, FOLDING, OBJECT_LIMIT, type Program } from '../cel/compile.ts'
import type { Declared } from '../cel/cost/declared.ts'
import { fromJson } from '../cel/json.ts'
import { BOOL, type CelType, optionalOf, STRING } from '../cel/type.ts'
import { type CelValue, NONE, OptionalValue } from '../cel/value.ts'
import type { FieldError } from '../field-error.ts'
import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { celType } from './cel-type.ts'
import { declaredSizes } from './declared-sizes.ts'
import { findField } from './field-path.ts'
import type { Ratchet } from './ratchet.ts'
import { childPath, type Schema, schemaOfKey, type ValidationRule } from './schema.ts'

interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: Program | undefined
  /** Why there is none. */
  readonly problem: string
  readonly message: Program | undefined
  readonly messageProblem: string
  /** What each may cost at worst, in cel-go's unit. */
  readonly worst: number
  readonly messageWorst: number
  readonly usesOldSelf: boolean
  /** Below the place of the rule; '' for that place. */
  readonly path: string
}

/** Characters of a message that an expression makes. */
const MAX_MESSAGE = 5 * 1024

/** What the rules of a place are about. */
interface Subjects {
  readonly self: CelType
  readonly declared: Declared
}

/** Whether an expression names a variable: its words outside of texts. */
const names = (expression: string, variable: string): boolean =>
  new RegExp(`(?<![.\\w])${variable}(?!\\w)`).test(
    expression.replace(/\/\/.*$/gm, '').replace(/r?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g, '""'),
  )

const compileRule = (rule: ValidationRule, schema: Schema, { self, declared }: Subjects): CompiledRule => {
  const expression = rule.rule ?? ''
  const variables = { self, oldSelf: rule.optionalOldSelf ? optionalOf(self) : self }
  const program = compile(expression, variables, { result: [BOOL], declared })
  const given = rule.messageExpression ?? ''
  const message = given === '' || !program.ok ? undefined : compile(given, variables, { result: [STRING], declared })
  const place = rule.fieldPath ? findField(rule.fieldPath, schema) : undefined
  return {
    rule,
    program: program.ok ? program.value : undefined,
    problem: program.ok
      ? ''
      : describeProblem(program.problem, 'compilation failed', 'cel expression must evaluate to a bool'),
    message: message?.ok ? message.value : undefined,
    messageProblem:
      message && !message.ok
        ? describeProblem(
            message.problem,
            'messageExpression compilation failed',
            'messageExpression must evaluate to a string',
          )
        : '',
    worst: program.ok ? program.value.worst : 0,
    messageWorst: message?.ok ? message.value.worst : 0,
    usesOldSelf: names(expression, 'oldSelf'),
    path: place?.ok ? place.value.path : '',
  }
}

const describeProblem = (problem: string, failed: string, mistyped: string): string =>
  problem.startsWith('ERROR: ')
    ? `${failed}: ${problem}`
    : problem.startsWith(FOLDING)
      ? problem.replace('program', failed === 'compilation failed' ? 'program' : 'messageExpression')
      : mistyped

const compiled = new WeakMap<Schema, readonly CompiledRule[]>()

/** The rules at one place of a schema, in their order. */
export const rulesAt = (schema: Schema, isResource: boolean): readonly CompiledRule[] => {
  const known = compiled.get(schema)
  if (known) return known
  const self = celType(schema, isResource)
  const declared = declaredSizes(schema, isResource)
  const rules = self && declared ? schema.rules.map(rule => compileRule(rule, schema, { self, declared })) : []
  compiled.set(schema, rules)
  return rules
}

const below = (schema: Schema): readonly Schema[] => [
  ...schema.properties.values(),
  ...(schema.items ? [schema.items] : []),
  ...(isObject(schema.additional) ? [schema.additional as unknown as Schema] : []),
]

const governed = new WeakMap<Schema, boolean>()

/** Whether there are rules in a schema, at its root or anywhere below. */
const hasRules = (schema: Schema): boolean => {
  const known = governed.get(schema)
  if (known !== undefined) return known
  const result = schema.rules.length > 0 || below(schema).some(hasRules)
  governed.set(schema, result)
  return result
}

const textOf = ({ rule, message }: ValidationRule): string => (message ? message : (rule ?? '')).trim()

class Exhausted extends Error {}

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

interface Place {
  readonly schema: Schema
  readonly path: string
  readonly isResource: boolean
  /** What the part was; undefined: there is nothing to compare with. */
  readonly old: unknown
  readonly ratchet: Ratchet | undefined
  /** Of the nearest part above that could be compared. */
  readonly above: Ratchet | undefined
}

class RuleRun {
  readonly errors: FieldError[] = []
  #budget: number

  constructor(budget: number) {
    this.#budget = budget
  }

  visit(value: unknown, place: Place): void {
    const { schema } = place
    if (value === null || value === undefined || !hasRules(schema)) return
    if (schema.rules.length > 0) this.#judge(value, place)
    if (Array.isArray(value)) this.#visitItems(value, place)
    else if (isObject(value)) this.#visitEntries(value, place)
  }

  #visitItems(value: readonly unknown[], { schema, path, old, ratchet, above }: Place): void {
    const { items } = schema
    if (!items) return
    const keys =
      schema.props['x-kubernetes-list-type'] === 'map' ? (schema.props['x-kubernetes-list-map-keys'] ?? []) : []
    const identify = (item: unknown) => JSON.stringify(keys.map(key => (isObject(item) ? item[key] : undefined)))
    const before = keys.length > 0 && Array.isArray(old) ? new Map(old.map(item => [identify(item), item])) : undefined
    for (const [index, item] of value.entries()) {
      this.visit(item, {
        schema: items,
        path: `${path}[${index}]`,
        isResource: items.isEmbedded,
        old: before?.get(identify(item)),
        ratchet: ratchet?.index(index),
        above: ratchet ?? above,
      })
    }
  }

  #visitEntries(value: Record<string, unknown>, { schema, path, old, ratchet, above }: Place): void {
    for (const [key, inner] of Object.entries(value)) {
      const known = schemaOfKey(schema, key)
      if (!known) continue
      this.visit(inner, {
        schema: known,
        path: schema.properties.has(key) ? childPath(path, key) : `${path}[${key}]`,
        isResource: known.isEmbedded,
        old: isObject(old) && Object.hasOwn(old, key) ? old[key] : undefined,
        ratchet: ratchet?.key(key),
        above: ratchet ?? above,
      })
    }
  }

  #judge(value: unknown, place: Place): void {
    const { schema, isResource, old } = place
    const type = celType(schema, isResource)
    if (!type) return
    const self = fromJson(value, type)
    const oldSelf = old === undefined || old === null ? undefined : fromJson(old, type)
    for (const rule of rulesAt(schema, isResource)) this.#apply(rule, { value, self, oldSelf }, place)
  }

  #apply(rule: CompiledRule, subject: Subject, place: Place): void {
    const { schema, path } = place
    const { optionalOldSelf = false } = rule.rule
    const fail = (detail: string) => this.errors.push(fieldInvalid(path || '<nil>', schema.props.type ?? '', detail))
    if (!rule.program) {
      if (rule.problem !== '') fail(`rule compile error: ${rule.problem}`)
      return
    }
    if (rule.usesOldSelf && subject.oldSelf === undefined && !optionalOldSelf) return
    const variables = {
      self: subject.self,
      ...(optionalOldSelf
        ? { oldSelf: subject.oldSelf === undefined ? NONE : new OptionalValue(subject.oldSelf) }
        : subject.oldSelf === undefined
          ? {}
          : { oldSelf: subject.oldSelf }),
    }
    const { outcome, cost, exceeded } = rule.program.evaluate(variables, CALL_LIMIT)
    if (cost > this.#budget) {
      fail(OUT_OF_BUDGET)
      throw new Exhausted()
    }
    this.#budget -= cost
    if (!outcome.ok) this.#failed(rule, outcome.problem, exceeded, fail)
    if (!outcome.ok || outcome.value === true) return
    const error = this.#refusal(rule, subject, place, variables)
    // KEP-4008: what has not changed is not refused, unless the rule is about the change.
    const isRatcheted = !rule.usesOldSelf && (place.ratchet ?? place.above)?.unchanged
    if (!isRatcheted) this.errors.push(error)
  }

  #failed({ rule }: CompiledRule, problem: string, exceeded: boolean, fail: (detail: string) => void): void {
    if (exceeded) {
      fail(
        `'${problem}': no further validation rules will be run due to call cost exceeds limit for rule: ${textOf(rule)}`,
      )
      throw new Exhausted()
    }
    if (problem.startsWith('no such overload')) {
      const reason = 'call arguments did not match a supported operator, function or macro signature for rule'
      fail(`'${problem}': ${reason}: ${textOf(rule)}`)
    } else fail(`${problem} evaluating rule: ${textOf(rule)}`)
  }

  #refusal(rule: CompiledRule, { value }: Subject, place: Place, variables: Record<string, CelValue>): FieldError {
    const at =
      rule.path === ''
        ? place.path
        : rule.path.startsWith('[')
          ? place.path + rule.path
          : childPath(place.path, rule.path)
    const field = at === '' ? '<nil>' : at
    const detail = this.#message(rule, variables) ?? (rule.rule.message?.trim() || `failed rule: ${textOf(rule.rule)}`)
    switch (rule.rule.reason) {
      case 'FieldValueForbidden':
        return fieldForbidden(field, detail)
      case 'FieldValueRequired':
        return fieldRequired(field, detail)
      case 'FieldValueDuplicate':
        return typeof value === 'object'
          ? { field, reason: 'FieldValueDuplicate', message: 'Duplicate value' }
          : fieldDuplicate(field, value)
      default:
        // The whole of a list or an object would drown the words about it.
        return typeof value === 'object'
          ? { field, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` }
          : fieldInvalid(field, value, detail)
    }
  }

  /** Undefined: the expression gives none, and the rule's own words stand. */
  #message(rule: CompiledRule, variables: Record<string, CelValue>): string | undefined {
    if (!rule.message) return undefined
    const { outcome, cost } = rule.message.evaluate(variables, Math.min(CALL_LIMIT, Math.max(this.#budget, 1)))
    this.#budget -= cost
    const text = outcome.ok && typeof outcome.value === 'string' ? outcome.value.trim() : ''
    return text === '' || text.length > MAX_MESSAGE || text.includes('\n') ? undefined : text
  }
}

interface Subject {
  readonly value: unknown
  readonly self: CelValue
  readonly oldSelf: CelValue | undefined
}

/** What the rules of a schema refuse of a resource. `old`: what it was; absent where it is new. */
export const validateRules = (
  resource: Record<string, unknown>,
  schema: Schema,
  old?: { readonly value: unknown; readonly ratchet: Ratchet },
): FieldError[] => {
  if (!hasRules(schema)) return []
  const run = new RuleRun(OBJECT_LIMIT)
  try {
    run.visit(resource, {
      schema,
      path: '',
      isResource: true,
      old: old?.value,
      ratchet: old?.ratchet,
      above: undefined,
    })
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error
  }
  return run.errors
}
