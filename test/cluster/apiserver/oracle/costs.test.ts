/** What rules may cost at worst beside Kubernetes' own: the same definitions are refused, in the same words. */
import test from 'ava'
import { definition } from './custom-definition.ts'
import { DEFINITIONS, serve, startBoth, THINGS } from './custom-world.ts'
import { DEFINITION_COSTS } from './definition-costs.ts'

const withProbe = (schema: unknown) => {
  const body = structuredClone(definition())
  body.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.probe = schema
  return body
}

test('a definition whose rules may cost too much is refused as in Kubernetes', async t => {
  t.timeout(300_000)
  const both = await startBoth(t)
  if (!both) return
  const sides = [both.theirs, both.ours]
  const codes: number[] = []
  for (const [name, schema] of Object.entries(DEFINITION_COSTS)) {
    const path = `${DEFINITIONS}?dryRun=All`
    const [expected, actual] = await Promise.all(sides.map(side => side.send('POST', path, withProbe(schema))))
    t.deepEqual(actual, expected, name)
    codes.push(expected!.code)
  }
  t.true(codes.filter(code => code === 201).length > 10, 'many are within the limits')
  t.true(codes.filter(code => code === 422).length > 15, 'many are not')
  for (const side of sides) await serve(side, definition(), THINGS)
  const path = `${DEFINITIONS}/things.example.com?dryRun=All`
  const dear = { spec: withProbe(DEFINITION_COSTS['pairs of a list without limit']).spec }
  const headers = { 'content-type': 'application/merge-patch+json' }
  const [expected, actual] = await Promise.all(sides.map(side => side.send('PATCH', path, dear, headers)))
  t.is(expected!.code, 422)
  t.deepEqual(actual, expected)
})
