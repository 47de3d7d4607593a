import test from 'ava'
import fc from 'fast-check'
import { decodeBody } from '#cluster/api/decode.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { apiVersionOf } from '#cluster/api/object.ts'
import { validateCreate, validateUpdate } from '#cluster/api/validate.ts'
import { ofType } from '../../../support/arbitrary-object.ts'

const decoded = (text: string, kind: (typeof KINDS)[number]) => {
  const result = decodeBody(text, 'json', kind, 'Strict')
  if (!result.ok) throw new Error(`${result.problem.message}\n${text}`)
  return result.value.object
}

for (const kind of KINDS) {
  const label = `${apiVersionOf(kind)} ${kind.kind}`

  test(`${label}: whatever decodes is judged without a throw, and its canonical form is a fixed point`, t => {
    fc.assert(
      fc.property(ofType(kind.type, 5), body => {
        const object = decoded(JSON.stringify(body), kind)
        const plain = JSON.stringify(encodeObject(object, kind.type))
        t.is(JSON.stringify(encodeObject(decoded(plain, kind), kind.type)), plain, 'decode(encode(x)) = x')

        kind.warnings?.(object)
        kind.prepareForCreate?.(object)
        kind.applyDefaults?.(object)
        validateCreate(kind, object)
        const once = JSON.stringify(encodeObject(object, kind.type))
        kind.applyDefaults?.(object)
        t.is(JSON.stringify(encodeObject(object, kind.type)), once, 'defaults are idempotent')
        const stored = decoded(once, kind)
        kind.applyDefaults?.(stored)
        t.is(JSON.stringify(encodeObject(stored, kind.type)), once, 'what was stored needs no more defaults')

        kind.prepareForUpdate?.(object, stored)
        kind.applyDefaults?.(object)
        validateUpdate(kind, object, stored)
        validateUpdate(kind, object, stored, 'status')
        for (const column of kind.columns) column.value(object, 0)
        kind.selectableFields?.(object)
        kind.gracePeriodSeconds?.(object, undefined)
      }),
      { numRuns: 200 },
    )
  })
}

test('no JSON makes the decoder throw', t => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...KINDS), fc.constantFrom('json', 'yaml'), (value, kind, syntax) => {
      const nested = { metadata: value, spec: value, status: value, data: value, subsets: value, endpoints: value }
      for (const body of [value, nested]) decodeBody(JSON.stringify(body), syntax as 'json', kind, 'Warn')
    }),
  )
  t.pass()
})

test('no text makes the decoder throw', t => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...KINDS), (text, kind) => {
      for (const syntax of ['json', 'yaml'] as const) decodeBody(text, syntax, kind, 'Strict')
    }),
  )
  t.pass()
})
