/**
 * What a policy's expressions would not find in the kinds that it is about (its `status.typeChecking`): compiled anew with
 * the types of those kinds. A warning and no more: an expression may know better.
 */
import {
  BOOL,
  BYTES,
  type CelField,
  type CelType,
  DOUBLE,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  TIMESTAMP,
} from '../cel/type.ts'
import { escapeName } from '../custom/cel-type.ts'
import type { Kind } from '../kind.ts'
import { apiVersionOf } from '../object.ts'
import { findType, type Scalar, type Shape, type TypeSchema } from '../schema.ts'
import { compilePolicy } from './compiled-policy.ts'
import type { PolicySpec } from './policy-spec.ts'

export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

/** Kinds that one policy is checked against, as in Kubernetes. */
const MAX_KINDS = 10

const SCALARS: Readonly<Record<Scalar, CelType>> = {
  string: STRING,
  boolean: BOOL,
  int32: INT,
  int64: INT,
  double: DOUBLE,
  bytes: BYTES,
  quantity: STRING,
  intOrString: DYN,
  time: TIMESTAMP,
  microTime: TIMESTAMP,
  duration: STRING,
  object: DYN,
  any: DYN,
}

const known = new Map<string, CelType>()

const typeOfShape = (shape: Shape): CelType => {
  if (shape.form === 'scalar') return SCALARS[shape.scalar]
  if (shape.form === 'list') return listOf(typeOfShape(shape.item))
  if (shape.form === 'map') return mapOf(STRING, typeOfShape(shape.item))
  const schema = findType(shape.type)
  return schema ? typeOf(schema) : DYN
}

const typeOf = (schema: TypeSchema): CelType => {
  const made = known.get(schema.name)
  if (made) return made
  let fields: Map<string, CelField> | undefined
  const read = (): Map<string, CelField> => {
    const all = new Map(
      schema.fields.map(({ name, shape }) => [escapeName(name) ?? name, { property: name, type: typeOfShape(shape) }]),
    )
    if (schema.root) for (const name of ['apiVersion', 'kind']) all.set(name, { property: name, type: STRING })
    return all
  }
  const type: CelType = {
    form: 'object',
    name: schema.name,
    field(name) {
      fields ??= read()
      return fields.get(name)
    },
  }
  known.set(schema.name, type)
  return type
}

/** Those that the rules name outright: what a star stands for may be anything. */
const kindsOf = ({ matchConstraints }: PolicySpec, kinds: readonly Kind[]): readonly Kind[] => {
  const rules = matchConstraints?.resourceRules ?? []
  const named = kinds.filter(({ group, version, resource }) =>
    rules.some(
      ({ apiGroups = [], apiVersions = [], resources = [] }) =>
        apiGroups.includes(group) && apiVersions.includes(version) && resources.includes(resource),
    ),
  )
  return named.slice(0, MAX_KINDS)
}

/** `kinds`: all that are served. None: nothing is amiss, or nothing is known. */
export const checkPolicyTypes = (spec: PolicySpec, kinds: readonly Kind[]): readonly ExpressionWarning[] => {
  const warnings = new Map<string, string[]>()
  for (const kind of kindsOf(spec, kinds)) {
    const schema = findType(kind.type)
    if (!schema) continue
    const param =
      spec.paramKind &&
      kinds.find(each => each.kind === spec.paramKind?.kind && apiVersionOf(each) === spec.paramKind?.apiVersion)
    const paramSchema = param && findType(param.type)
    const types = { object: typeOf(schema), ...(paramSchema ? { params: typeOf(paramSchema) } : {}) }
    for (const { field, message } of compilePolicy(spec, types).errors) {
      const text = `${apiVersionOf(kind)}, Kind=${kind.kind}: ${message.slice(message.indexOf('compilation failed: ') + 'compilation failed: '.length)}`
      warnings.set(field, [...(warnings.get(field) ?? []), text])
    }
  }
  return [...warnings].map(([fieldRef, texts]) => ({ fieldRef, warning: texts.join('\n') }))
}
