/**
 * Custom resources beside Kubernetes' own: the same definitions and the same requests on objects of them, right ones and
 * wrong ones; answers are equal but for what can only differ.
 */
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { definition, VALUES } from './custom-definition.ts'
import { DEFINITIONS, object, serve, startBoth, THINGS } from './custom-world.ts'
import { DEFINITION_CHANGES } from './definition-changes.ts'
import { seeded } from './seeded.ts'

test('definitions are judged as Kubernetes judges them', async t => {
  t.timeout(300_000)
  const both = await startBoth(t)
  if (!both) return
  for (const [name, change] of Object.entries(DEFINITION_CHANGES)) {
    const body = definition()
    change(body)
    const path = `${DEFINITIONS}?dryRun=All&fieldValidation=Strict`
    const [expected, actual] = await Promise.all([
      both.theirs.send('POST', path, body),
      both.ours.send('POST', path, body),
    ])
    t.deepEqual(actual, expected, name)
  }
})

type Draw = () => number
const pick = <T>(draw: Draw, list: readonly T[]): T => list[Math.floor(draw() * list.length)]!

const specOf = (draw: Draw): Record<string, unknown> => {
  const spec: Record<string, unknown> = { size: 1 }
  const fields = Object.keys(VALUES)
  for (let count = Math.floor(draw() * 3) + 1; count > 0; count--) {
    const field = pick(draw, fields)
    spec[field] = pick(draw, VALUES[field]!)
  }
  return spec
}

const STATUSES = [
  { replicas: 2, selector: 'a=b' },
  { phase: 'On' },
  { phase: 'Else' },
  { replicas: 'x' },
  { replicas: -1 },
  { conditions: [{ type: 'Ready', status: 'True' }] },
  { conditions: [{ type: 'A' }, { type: 'A' }] },
  { foo: 1 },
]

const NAMES = ['a', 'b', 'c']
const QUERIES = ['', '?fieldValidation=Strict', '?fieldValidation=Ignore', '?dryRun=All']

interface Plan {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const write = (draw: Draw, name: string): Plan => {
  const query = pick(draw, QUERIES)
  const path = `${THINGS}/${name}`
  const patch = (type: string) => ({ 'content-type': `application/${type}` })
  const field = pick(draw, Object.keys(VALUES))
  const value = pick(draw, VALUES[field]!)
  const manager = pick(draw, ['one', 'two'])
  const apply = `fieldManager=${manager}${draw() < 0.3 ? '&force=true' : ''}`
  return pick<() => Plan>(draw, [
    () => ({
      method: 'POST',
      path: THINGS + query,
      body: object(name, { spec: specOf(draw), status: pick(draw, STATUSES) }),
    }),
    () => ({ method: 'POST', path: THINGS + query, body: object(name, { spec: specOf(draw) }) }),
    () => ({ method: 'PUT', path: path + query, body: { ...object(name, { spec: specOf(draw) }), fresh: true } }),
    () => ({
      method: 'PUT',
      path: `${path}/status${query}`,
      body: { ...object(name, { spec: { size: 1 }, status: pick(draw, STATUSES) }), fresh: true },
    }),
    () => ({
      method: 'PATCH',
      path: path + query,
      body: { spec: { [field]: value } },
      headers: patch('merge-patch+json'),
    }),
    () => ({
      method: 'PATCH',
      path: path + query,
      body: [{ op: 'add', path: `/spec/${field}`, value }],
      headers: patch('json-patch+json'),
    }),
    () => ({
      method: 'PATCH',
      path: `${path}/status`,
      body: { status: pick(draw, STATUSES) },
      headers: patch('merge-patch+json'),
    }),
    () => ({
      method: 'PATCH',
      path: `${path}?${apply}`,
      body: object(name, { spec: specOf(draw) }),
      headers: patch('apply-patch+yaml'),
    }),
    () => ({ method: 'PATCH', path, body: { spec: {} }, headers: patch('strategic-merge-patch+json') }),
    () => ({ method: 'DELETE', path }),
  ])()
}

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

const read = (draw: Draw, name: string): Plan =>
  pick<Plan>(draw, [
    { method: 'GET', path: `${THINGS}/${name}` },
    { method: 'GET', path: THINGS },
    { method: 'GET', path: THINGS, headers: TABLE },
    { method: 'GET', path: `${THINGS}/${name}`, headers: TABLE },
    { method: 'GET', path: `${THINGS}/${name}/scale` },
    { method: 'GET', path: `${THINGS}/${name}/status` },
    { method: 'GET', path: `${THINGS}?fieldSelector=spec.size%3D1` },
    { method: 'GET', path: `${THINGS}?fieldSelector=spec.pattern%3Dabc,metadata.name%3Da` },
    { method: 'GET', path: `${THINGS}?fieldSelector=spec.other%3D1` },
  ])

const nextPlan = (draw: Draw): Plan => {
  const name = pick(draw, NAMES)
  return draw() < 0.75 ? write(draw, name) : read(draw, name)
}

const SEEDS = (process.env.SEAMARK_ORACLE_SEEDS ?? '1,2').split(',').map(Number)
const REQUESTS = Number(process.env.SEAMARK_ORACLE_REQUESTS ?? 1_000)

test('objects of a custom resource are what Kubernetes makes of them', async t => {
  t.timeout(600_000)
  const both = await startBoth(t)
  if (!both) return
  const sides = [both.theirs, both.ours]
  for (const side of sides) await serve(side, definition(), THINGS)
  t.true(SEEDS.length > 0)
  for (const seed of SEEDS) {
    const draw = seeded(seed)
    for (let step = 0; step < REQUESTS; step++) {
      const plan = nextPlan(draw)
      const [expected, actual] = await Promise.all(
        sides.map(side => side.send(plan.method, plan.path, plan.body, plan.headers)),
      )
      if (isDeepStrictEqual(actual, expected)) continue
      t.deepEqual(actual, expected, `seed ${seed}, step ${step}: ${JSON.stringify(plan)}`)
      for (const side of sides) for (const name of NAMES) await side.send('DELETE', `${THINGS}/${name}`)
    }
  }
})

test('the scale of a custom resource is what Kubernetes makes of it', async t => {
  const both = await startBoth(t)
  if (!both) return
  const sides = [both.theirs, both.ours]
  for (const side of sides) await serve(side, definition(), THINGS)
  const merge = { 'content-type': 'application/merge-patch+json' }
  const steps: Plan[] = [
    { method: 'POST', path: THINGS, body: object('a', { spec: { size: 1 } }) },
    { method: 'GET', path: `${THINGS}/a/scale` },
    { method: 'PATCH', path: `${THINGS}/a/scale`, body: { spec: { replicas: 4 } }, headers: merge },
    { method: 'PATCH', path: `${THINGS}/a/scale`, body: { spec: { replicas: -4 } }, headers: merge },
    { method: 'PATCH', path: `${THINGS}/a/status`, body: { status: { replicas: 3, selector: 'x=y' } }, headers: merge },
    { method: 'GET', path: `${THINGS}/a/scale` },
    { method: 'GET', path: `${THINGS}/a` },
    { method: 'PATCH', path: `${THINGS}/none/scale`, body: { spec: { replicas: 4 } }, headers: merge },
  ]
  for (const { method, path, body, headers } of steps) {
    const [expected, actual] = await Promise.all(sides.map(side => side.send(method, path, body, headers)))
    t.deepEqual(actual, expected, `${method} ${path}`)
  }
})
