/**
 * What the types say of merging: which values are one whole (scalars, and what types.json calls atomic), and how the parts
 * of all others are told apart. Compiled from types.json once a type.
 */
import { isObject } from '#cluster/api/own-property.ts'
import { type FieldSchema, type Shape, typeSchema } from '#cluster/api/schema.ts'
import { knowField } from './path-element.ts'

export interface StructRule {
  readonly form: 'struct'
  readonly fields: ReadonlyMap<string, MergeRule>
  /** Of fields that the type does not name. */
  readonly others: MergeRule
}

export interface ListRule {
  readonly form: 'list'
  /** The fields by which items are told apart, sorted. */
  readonly keys: readonly string[]
  /** What a key means that an item lacks. */
  readonly defaults: ReadonlyMap<string, unknown>
  readonly item: MergeRule
}

/** A rule that can be followed, whatever the value. */
export type SettledRule =
  | { readonly form: 'whole' }
  | { readonly form: 'map'; readonly item: MergeRule }
  | { readonly form: 'set' }
  | StructRule
  | ListRule

/** `deduced`: of what no type knows, the value says itself what it is. */
export type MergeRule = SettledRule | { readonly form: 'deduced' }

export const WHOLE: SettledRule = { form: 'whole' }
export const DEDUCED: MergeRule = { form: 'deduced' }

export const DEDUCED_MAP: SettledRule = { form: 'map', item: DEDUCED }

/** Kubernetes merges objects that no schema knows field by field, and takes all else for one whole. */
export const settle = (rule: MergeRule, ...values: readonly unknown[]): SettledRule => {
  if (rule.form !== 'deduced') return rule
  const given = values.filter(value => value !== undefined && value !== null)
  return given.length > 0 && given.every(isObject) ? DEDUCED_MAP : WHOLE
}

const structs = new Map<string, StructRule>()

const itemDefaults = (shape: Shape, keys: readonly string[]): ReadonlyMap<string, unknown> => {
  const defaults = new Map<string, unknown>()
  if (shape.form !== 'struct') return defaults
  const { byName } = typeSchema(shape.type)
  for (const key of keys) {
    const value = byName.get(key)?.default
    if (value !== undefined) defaults.set(key, value)
  }
  return defaults
}

/** A list without a type of its own merges as its strategic merge patch does; without either it is one whole. */
const listKeys = (field: FieldSchema): readonly string[] | undefined => {
  if (field.listType === 'atomic') return undefined
  if (field.listType !== undefined) return field.listKeys
  if (!field.patchStrategies.includes('merge')) return undefined
  return field.patchMergeKey === undefined ? [] : [field.patchMergeKey]
}

const ruleOf = (shape: Shape, field: FieldSchema | undefined): MergeRule => {
  switch (shape.form) {
    case 'scalar':
      return shape.isDeduced ? DEDUCED : WHOLE
    case 'struct': {
      const atomic = field?.structType ?? field?.mapType ?? typeSchema(shape.type).structType
      return atomic ? WHOLE : structRule(shape.type)
    }
    case 'map':
      return field?.mapType ? WHOLE : { form: 'map', item: ruleOf(shape.item, undefined) }
    case 'list': {
      const keys = field && listKeys(field)
      if (!keys) return WHOLE
      if (keys.length === 0) return { form: 'set' }
      return {
        form: 'list',
        keys: keys.toSorted(),
        defaults: itemDefaults(shape.item, keys),
        item: ruleOf(shape.item, undefined),
      }
    }
  }
}

/** The rule of a type that types.json names. Types may hold themselves. */
export const structRule = (type: string): StructRule => {
  const known = structs.get(type)
  if (known) return known
  const fields = new Map<string, MergeRule>()
  const schema = typeSchema(type)
  const rule: StructRule = { form: 'struct', fields, others: schema.isOpen ? DEDUCED : WHOLE }
  structs.set(type, rule)
  if (schema.root) fields.set('apiVersion', WHOLE).set('kind', WHOLE)
  for (const field of schema.fields) {
    knowField(field.name)
    fields.set(field.name, ruleOf(field.shape, field))
  }
  return rule
}

/** The rule of a field by its name; what the types do not know is one whole. */
export const ruleOfField = (rule: MergeRule, name: string): MergeRule =>
  rule.form === 'struct' ? (rule.fields.get(name) ?? rule.others) : rule.form === 'map' ? rule.item : WHOLE

/** The rule behind one step of a path; what the types do not know is one whole. */
export const ruleBehind = (rule: MergeRule, element: string): MergeRule => {
  switch (rule.form) {
    case 'struct':
      return element.startsWith('f:') ? (rule.fields.get(element.slice(2)) ?? rule.others) : WHOLE
    case 'map':
      return element.startsWith('f:') ? rule.item : WHOLE
    case 'list':
      return element.startsWith('k:') ? rule.item : WHOLE
    case 'deduced':
      return element.startsWith('f:') ? DEDUCED : WHOLE
    default:
      return WHOLE
  }
}
