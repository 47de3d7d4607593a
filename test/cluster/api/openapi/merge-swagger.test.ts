/** Documents of other servers in ours: what is taken, what is renamed, what is refused. */
import test from 'ava'
import { mergeSwagger, readRemoteSwagger } from '#cluster/api/openapi/merge-swagger.ts'
import type { Swagger } from '#cluster/api/openapi/swagger.ts'

const BASE = '/apis/far.example.com/v1'
const ref = (name: string) => ({ $ref: `#/definitions/${name}` })
const document = (definitions: object, of = 'A') => ({
  swagger: '2.0',
  paths: { [`${BASE}/stars`]: { get: { responses: { 200: { description: 'OK', schema: ref(of) } } } } },
  definitions,
})
const own = (definitions: Swagger['definitions']): Swagger => ({
  swagger: '2.0',
  info: { title: 'own', version: '1' },
  paths: { '/api/v1/pods': {} },
  definitions,
  securityDefinitions: {},
  security: [],
})
const text = { type: 'string' }

test('what is the same is told once, what is another is renamed, with what mentions it', t => {
  const mine = { A: { type: 'object', properties: { b: ref('B') } }, B: text, B_v2: text, C: text }
  const theirs = { A: mine.A, B: { type: 'integer' }, C: text }
  const merged = mergeSwagger(own(mine), [readRemoteSwagger(document(theirs), BASE)])
  t.deepEqual(merged.definitions, {
    ...mine,
    A_v2: { type: 'object', properties: { b: ref('B_v3') } },
    B_v3: { type: 'integer' },
  })
  t.deepEqual(merged.paths[`${BASE}/stars`]?.get, { responses: { 200: { description: 'OK', schema: ref('A_v2') } } })
  t.deepEqual(Object.keys(merged.paths).sort(), ['/api/v1/pods', `${BASE}/stars`])
})

test('two servers that say the same say it once', t => {
  const far = readRemoteSwagger(document({ A: text }), BASE)
  const merged = mergeSwagger(own({ A: { type: 'object' } }), [far, far])
  t.deepEqual(Object.keys(merged.definitions), ['A', 'A_v2'])
})

test('what is no document is refused', t => {
  const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)
  const nonsense: unknown[] = [
    undefined,
    [],
    {},
    { swagger: '3.0' },
    document({ A: { properties: null } }),
    document({ A: { items: deep } }),
  ]
  for (const [index, given] of nonsense.entries())
    t.throws(() => readRemoteSwagger(given, BASE), undefined, String(index))
  const strange = JSON.parse('{"swagger":"2.0","paths":{"__proto__":{},"x":7},"definitions":{"__proto__":{"a":1}}}')
  t.deepEqual(readRemoteSwagger(strange, BASE), { paths: {}, definitions: {} })
  t.is(({} as { a?: unknown }).a, undefined)
})
