/**
 * The Scale of a custom resource beside Kubernetes' own: read, replaced and patched by several managers, between applies
 * of the object itself. Answers, and who owns what of the object, are equal. Kubernetes fails to apply a custom
 * resource's Scale ("request to convert CR to an invalid group/version"): that is held in ../apply.test.ts.
 */
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { definition } from './custom-definition.ts'
import { object, serve, startBoth, THINGS } from './custom-world.ts'
import { seeded } from './seeded.ts'

const SEEDS = (process.env.SEAMARK_ORACLE_SEEDS ?? '1,2').split(',').map(Number)
const REQUESTS = 250

type Draw = () => number
const pick = <T>(draw: Draw, list: readonly T[]): T => list[Math.floor(draw() * list.length)]!

const patch = (type: string) => ({ 'content-type': `application/${type}` })
const APPLY = patch('apply-patch+yaml')

const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' } }
const nextPlan = (draw: Draw) => {
  const [replicas, manager] = [pick(draw, [1, 2, 3]), pick(draw, ['one', 'two', 'three'])]
  const as = `?fieldManager=${manager}`
  const force = draw() < 0.3 ? '&force=true' : ''
  const spec = { size: 1, replicas }
  const [path, scale] = [`${THINGS}/a`, `${THINGS}/a/scale`]
  const plans = [
    { method: 'PATCH', path: scale + as, body: { spec: { replicas } }, headers: patch('merge-patch+json') },
    {
      method: 'PATCH',
      path: scale + as,
      body: [{ op: 'replace', path: '/spec/replicas', value: replicas }],
      headers: patch('json-patch+json'),
    },
    { method: 'PUT', path: scale + as, body: { ...SCALE, spec: { replicas } } },
    { method: 'PATCH', path: path + as + force, body: object('a', { spec }), headers: APPLY },
    { method: 'PATCH', path: path + as, body: { spec: { replicas } }, headers: patch('merge-patch+json') },
    { method: 'GET', path: scale },
    { method: 'DELETE', path },
  ]
  return pick(draw, plans)
}

test('a Scale is patched and replaced as Kubernetes does it, between applies', async t => {
  t.timeout(300_000)
  const both = await startBoth(t)
  if (!both) return
  const sides = [both.theirs, both.ours]
  for (const side of sides) await serve(side, definition(), THINGS)
  for (const seed of SEEDS) {
    const draw = seeded(seed)
    for (let step = 0; step < REQUESTS; step++) {
      const { method, path, body, headers } = nextPlan(draw)
      const ask = (how: string, where: string, what?: unknown, more?: Record<string, string>) =>
        Promise.all(sides.map(side => side.send(how, where, what, more)))
      const [expected, actual] = await ask(method, path, body, headers)
      const label = `seed ${seed}, step ${step}: ${method} ${path} ${JSON.stringify(body)}`
      if (!isDeepStrictEqual(actual, expected)) t.deepEqual(actual, expected, label)
      const [owned, own] = await ask('GET', `${THINGS}/a`)
      if (!isDeepStrictEqual(own, owned)) t.deepEqual(own, owned, `after ${label}`)
    }
  }
  t.pass()
})
