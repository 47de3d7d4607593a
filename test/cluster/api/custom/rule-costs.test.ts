/** Definitions whose rules may cost too much: refused when they are new, kept as they are where they were before. */
import test from 'ava'
import { validateDefinition } from '#cluster/api/custom/definition-validation.ts'
import type { ApiObject } from '#cluster/api/object.ts'

const EACH = 'self.all(x, self.all(y, x == y))'
const ADVICE =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

const version = (name: string, maxItems: number, fields: number) => {
  const list = { type: 'array', maxItems, items: { type: 'integer' }, 'x-kubernetes-validations': [{ rule: EACH }] }
  const properties = Object.fromEntries(Array.from({ length: fields }, (_, index) => [`f${index}`, list]))
  return { name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: { type: 'object', properties } } }
}

const definition = (versions: readonly unknown[], more: Record<string, unknown> = {}) =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList', ...more },
      conversion: { strategy: 'None' },
      versions,
    },
    status: { storedVersions: ['v1'], acceptedNames: {} },
  }) as unknown as ApiObject

const told = (next: ApiObject, current?: ApiObject): string[] =>
  validateDefinition(next, current).map(({ field, message }) => `${field}: ${message}`)

const RULE = 'spec.validation.openAPIV3Schema.properties[f0].x-kubernetes-validations[0].rule'

test('the factor is told as far as it helps', t => {
  const factors = [1_400, 1_600, 3_500, 20_000].map(maxItems => told(definition([version('v1', maxItems, 1)])))
  t.deepEqual(factors.slice(0, 3), [
    [],
    [`${RULE}: Forbidden: estimated rule cost exceeds budget by factor of 1.280800x ${ADVICE}`],
    [`${RULE}: Forbidden: estimated rule cost exceeds budget by factor of 6.1x ${ADVICE}`],
  ])
  t.true(factors[3]?.[0]?.includes('by factor of more than 100x '))
})

test('a schema that stays as it is keeps its dear rules, another one does not get them', t => {
  const current = definition([version('v1', 3_500, 1)])
  t.deepEqual(told(definition([version('v1', 3_500, 1)], { shortNames: ['th'] }), current), [])
  t.is(told(definition([version('v1', 3_501, 1)]), current).length, 1)
  const [refused, ...more] = told(definition([version('v1', 3_500, 1), version('v2', 3_400, 1)]), current)
  t.true(
    refused?.startsWith('spec.versions[1].schema.openAPIV3Schema.properties[f0].x-kubernetes-validations[0].rule: '),
  )
  t.deepEqual(more, [])
})

test('all rules of a schema together have a limit too, which a schema that was there before does not escape', t => {
  const dear = definition([version('v1', 1_400, 12)])
  const errors = told(dear)
  t.is(errors.length, 5)
  t.true(
    errors
      .slice(0, 4)
      .every(error =>
        error.endsWith('contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'),
      ),
  )
  t.regex(errors[4] ?? '', /^spec\.validation\.openAPIV3Schema: Forbidden: .* exceeds budget by factor of 1\.\d{6}x /)
  t.deepEqual(told(definition([version('v1', 1_400, 12)], { shortNames: ['th'] }), dear), errors)
  t.deepEqual(told(dear, dear), [], 'what nobody changes is not judged again')
})
