/** Whatever is written, in whatever order and at once: what a quota counts is what is there, and never too much. */
import test from 'ava'
import fc from 'fast-check'
import { pod, startWorld } from './world.ts'

const D = '/api/v1/namespaces/default'
const MERGE = { 'content-type': 'application/merge-patch+json' }

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  act: fc.constantFrom('create', 'delete', 'end', 'label', 'mark'),
  cpu: fc.constantFrom('100m', '250m', '1'),
})

test('the count after any writes is that of a quota which is made after them', async t => {
  const world = await startWorld(t)
  const { fetch } = world.server
  const hard = { pods: '3', 'requests.cpu': '1500m', 'count/pods': '4' }
  const quota = async (name: string) => {
    await world.make(t, `${D}/resourcequotas`, { metadata: { name }, spec: { hard } })
    for (;;) {
      const { used } = (await fetch(`${D}/resourcequotas/${name}`)).json.status
      if (used?.pods !== undefined) return used
    }
  }
  const write = ({ name, act, cpu }: { name: string; act: string; cpu: string }) => {
    const at = `${D}/pods/${name}`
    if (act === 'delete') return fetch(`${at}?gracePeriodSeconds=0`, { method: 'DELETE' })
    if (act === 'end')
      return fetch(`${at}/status`, { method: 'PATCH', body: { status: { phase: 'Succeeded' } }, headers: MERGE })
    if (act === 'label')
      return fetch(at, { method: 'PATCH', body: { metadata: { labels: { a: cpu } } }, headers: MERGE })
    if (act === 'mark')
      return fetch(at, { method: 'PATCH', body: { spec: { activeDeadlineSeconds: 5 } }, headers: MERGE })
    const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu } } }]
    return fetch(`${D}/pods`, { method: 'POST', body: pod(name, undefined, { containers }) })
  }
  await quota('standing')
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 4 }), async batches => {
      for (const batch of batches) await Promise.all(batch.map(write))
      const { json } = await fetch(`${D}/resourcequotas/standing`)
      const fresh = `fresh${round++}`
      t.deepEqual(json.status.used, await quota(fresh))
      await fetch(`${D}/resourcequotas/${fresh}`, { method: 'DELETE' })
      t.true(Number(json.status.used.pods) <= 3)
    }),
    { numRuns: 20 },
  )
})
