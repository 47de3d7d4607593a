import fc from 'fast-check'
import { enumValues, type FieldSchema, type Scalar, type Shape, typeSchema } from '#cluster/api/schema.ts'

type Value = fc.Arbitrary<unknown>

const SCALARS: Readonly<Record<Scalar, Value>> = {
  string: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('a', 'a.b', '10.0.0.1', 'None', '')),
  boolean: fc.boolean(),
  int32: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  int64: fc.maxSafeInteger(),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  bytes: fc.uint8Array({ maxLength: 5 }).map(bytes => Buffer.from(bytes).toString('base64')),
  quantity: fc.constantFrom('0', '1', '500m', '1.5Gi', '-3', '1e3'),
  intOrString: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom('web', '')),
  time: fc.constantFrom('2031-01-01T00:00:00Z', '2031-01-01T02:00:00.25+02:00'),
  microTime: fc.constantFrom('2031-01-01T00:00:00.123456Z'),
  duration: fc.constant('1s'),
  object: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 })),
  any: fc.jsonValue({ maxDepth: 1 }),
}

const keys = fc.oneof(fc.constantFrom('a', 'example.com/b', '__proto__'), fc.string({ maxLength: 4 }))

const ofShape = (shape: Shape, field: FieldSchema, depth: number): Value => {
  switch (shape.form) {
    case 'scalar':
      return field.enum !== undefined && shape.scalar === 'string'
        ? fc.oneof(fc.constantFrom(...enumValues(field.enum)), SCALARS.string)
        : SCALARS[shape.scalar]
    case 'list':
      return fc.array(ofShape(shape.item, field, depth), { maxLength: 2 })
    case 'map':
      return fc.dictionary(keys, ofShape(shape.item, field, depth), { maxKeys: 2 })
    case 'struct':
      return ofType(shape.type, depth - 1)
  }
}

/** Any value of a type in types.json that its decoder takes, most fields absent; `depth` structs deep. */
export const ofType = (type: string, depth: number): fc.Arbitrary<Record<string, unknown>> => {
  if (depth <= 0) return fc.constant({})
  const fields = Object.fromEntries(
    typeSchema(type).fields.map(field => {
      const present = ofShape(field.shape, field, depth)
      const weight = type.endsWith('Spec') || field.name === 'spec' || field.name === 'metadata' ? 2 : 1
      return [field.name, fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight, arbitrary: present })]
    }),
  )
  return fc
    .record(fields)
    .map(value => Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)))
}
