/** Expressions beside Kubernetes' own CEL: each compiles on both servers or on neither, and means the same. */
import test from 'ava'
import type { CustomSide } from './custom-side.ts'
import { DEFINITIONS, serve, startBoth } from './custom-world.ts'
import { EXPRESSIONS, PROPERTIES, VALUE } from './expressions.ts'

interface Rule {
  readonly rule: string
  readonly message?: string
}

const definition = (name: string, rules: readonly Rule[]) => {
  const spec = { type: 'object', properties: PROPERTIES, 'x-kubernetes-validations': rules }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${name}s.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: `${name}s`, singular: name, kind: `Kind${name}`, listKind: `Kind${name}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}

const complaints = async (side: CustomSide, path: string, body: unknown): Promise<readonly string[]> => {
  const told = await side.send('POST', `${path}?dryRun=All`, body)
  return (told.body.details?.causes ?? []).map((cause: { message: string }) => cause.message)
}

/** Rules that are looked at together. */
const GROUP = 20

test('an expression compiles, gives and fails as in Kubernetes', async t => {
  t.timeout(300_000)
  const both = await startBoth(t)
  if (!both) return
  const sides = [both.theirs, both.ours]
  const compiling: string[] = []
  for (const rule of EXPRESSIONS) {
    const body = definition('probe', [{ rule }])
    const [expected, actual] = await Promise.all(sides.map(side => complaints(side, DEFINITIONS, body)))
    t.deepEqual(actual, expected, rule)
    if (actual?.length === 0 && expected?.length === 0) compiling.push(rule)
  }
  t.true(compiling.length > 300, `${compiling.length} compile`)
  for (let start = 0; start < compiling.length; start += GROUP) {
    const name = `group${start}`
    const rules = compiling.slice(start, start + GROUP).map((rule, index) => ({ rule, message: `#${index}#` }))
    const path = `/apis/example.com/v1/namespaces/default/${name}s`
    for (const side of sides) await serve(side, definition(name, rules), path)
    const body = { apiVersion: 'example.com/v1', kind: `Kind${name}`, metadata: { name: 'a' }, spec: VALUE }
    const [expected, actual] = await Promise.all(sides.map(side => complaints(side, path, body)))
    t.deepEqual(actual, expected, rules.map(({ rule, message }) => `${message} ${rule}`).join('\n'))
  }
})
