/**
 * The schema of a custom resource: OpenAPI v3 as a CustomResourceDefinition holds it, made ready for walks over objects
 * (KEP-1151, structural schemas). It has no opinion on what is right; `schema-validation.ts` has.
 */
import { isObject } from '../own-property.ts'

/** apiextensions.k8s.io/v1 JSONSchemaProps, as much of it as a structural schema may hold. */
export interface SchemaProps {
  readonly type?: string
  readonly format?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly nullable?: boolean
  readonly maximum?: number
  readonly exclusiveMaximum?: boolean
  readonly minimum?: number
  readonly exclusiveMinimum?: boolean
  readonly maxLength?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly maxItems?: number
  readonly minItems?: number
  readonly uniqueItems?: boolean
  readonly multipleOf?: number
  readonly enum?: readonly unknown[]
  readonly maxProperties?: number
  readonly minProperties?: number
  readonly required?: readonly string[]
  readonly items?: SchemaProps | readonly SchemaProps[]
  readonly allOf?: readonly SchemaProps[]
  readonly oneOf?: readonly SchemaProps[]
  readonly anyOf?: readonly SchemaProps[]
  readonly not?: SchemaProps
  readonly properties?: Readonly<Record<string, SchemaProps>>
  readonly additionalProperties?: SchemaProps | boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
  readonly [field: string]: unknown
}

/** A rule in CEL. */
export interface ValidationRule {
  readonly rule?: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

export interface Schema {
  /** As it was written. */
  readonly props: SchemaProps
  readonly properties: ReadonlyMap<string, Schema>
  /** Of a map's values; `true`: anything. Undefined: there are no others. */
  readonly additional: Schema | boolean | undefined
  readonly items: Schema | undefined
  readonly allOf: readonly Schema[]
  readonly anyOf: readonly Schema[]
  readonly oneOf: readonly Schema[]
  readonly not: Schema | undefined
  readonly rules: readonly ValidationRule[]
  readonly isEmbedded: boolean
  readonly preservesUnknown: boolean
  readonly isIntOrString: boolean
  readonly isNullable: boolean
  /** Undefined: none. */
  readonly default: unknown
}

const list = (schemas: readonly SchemaProps[] | undefined): readonly Schema[] => (schemas ?? []).map(readSchema)

const readAdditional = (additional: SchemaProps | boolean | undefined): Schema | boolean | undefined =>
  isObject(additional) ? readSchema(additional) : (additional as boolean | undefined)

export const readSchema = (props: SchemaProps): Schema => ({
  props,
  properties: new Map(Object.entries(props.properties ?? {}).map(([name, inner]) => [name, readSchema(inner)])),
  additional: readAdditional(props.additionalProperties),
  items: isObject(props.items) ? readSchema(props.items as SchemaProps) : undefined,
  allOf: list(props.allOf),
  anyOf: list(props.anyOf),
  oneOf: list(props.oneOf),
  not: props.not && readSchema(props.not),
  rules: props['x-kubernetes-validations'] ?? [],
  isEmbedded: props['x-kubernetes-embedded-resource'] ?? false,
  preservesUnknown: props['x-kubernetes-preserve-unknown-fields'] ?? false,
  isIntOrString: props['x-kubernetes-int-or-string'] ?? false,
  isNullable: props.nullable ?? false,
  default: props.default,
})

/** The schema of what is under `key`: a property's own, else that of all others; undefined: nothing is known of it. */
export const schemaOfKey = (schema: Schema, key: string): Schema | undefined =>
  schema.properties.get(key) ?? (isObject(schema.additional) ? (schema.additional as unknown as Schema) : undefined)

/** What every resource has, whatever its schema says. */
export const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** `spec.list[0].key`, `map[key]`. */
export const childPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
