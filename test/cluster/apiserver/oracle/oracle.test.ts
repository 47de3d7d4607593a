/**
 * Our apiserver beside Kubernetes' own API machinery: Lease as we build it in, and as a custom resource of the same
 * group there. Both get the same stream of requests, right ones and ones with one mistake, and their answers are
 * compared, code and body, but for what can only differ.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { startOracle } from '../../../support/oracle.ts'
import { nextPlan } from './calls.ts'
import { seeded } from './seeded.ts'
import { Side } from './side.ts'

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'leases.coordination.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
  spec: {
    group: 'coordination.k8s.io',
    scope: 'Namespaced',
    names: { plural: 'leases', singular: 'lease', kind: 'Lease', listKind: 'LeaseList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: 'Holder', type: 'string', jsonPath: '.spec.holderIdentity' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  holderIdentity: { type: 'string' },
                  leaseTransitions: { type: 'integer', format: 'int32' },
                  leaseDurationSeconds: { type: 'integer', format: 'int32' },
                  strategy: { type: 'string' },
                  preferredHolder: { type: 'string' },
                },
              },
            },
          },
        },
      },
    ],
  },
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces'

/** A server without objects, and nothing known of what was. */
const empty = async (side: Side): Promise<void> => {
  for (const namespace of ['default', 'other']) {
    const folder = `${LEASES}/${namespace}/leases`
    await side.send({ method: 'DELETE', path: folder })
    const { body } = await side.send({ method: 'GET', path: folder })
    for (const { metadata } of (body as { items: { metadata: { name: string } }[] }).items) {
      const type = { 'content-type': 'application/merge-patch+json' }
      const path = `${folder}/${metadata.name}`
      await side.send({ method: 'PATCH', path, headers: type, body: '{"metadata":{"finalizers":null}}' })
    }
  }
  side.reset()
  await side.send({ method: 'GET', path: `${LEASES}/default/leases` })
}

const REQUESTS = 700

const startBoth = async (t: ExecutionContext) => {
  const oracle = await startOracle(t)
  if (!oracle) return undefined
  const server = await startApiserver(t, { bare: true })
  for (const name of ['default', 'other'])
    await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name } } })
  const theirs = new Side(oracle.url, { ca: readFileSync(oracle.authority, 'utf8') })
  const ours = new Side(server.url, server.tls)
  t.teardown(() => {
    theirs.close()
    ours.close()
  })
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const type = { 'content-type': 'application/json' }
  const body = JSON.stringify(DEFINITION)
  t.is((await theirs.send({ method: 'POST', path: definitions, headers: type, body })).code, 201)
  const serves = async () =>
    (await theirs.send({ method: 'GET', path: '/apis/coordination.k8s.io/v1/leases' })).code === 200
  const end = performance.now() + 60_000
  while (!(await serves())) {
    if (performance.now() > end) throw new Error('the oracle does not serve its custom resource')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return { theirs, ours }
}

/** Seeds of the streams of requests. SEAMARK_ORACLE_SEEDS=9,10 looks further. */
const SEEDS = (process.env.SEAMARK_ORACLE_SEEDS ?? '1,2,3').split(',').map(Number)

test('the same requests get the same answers from Kubernetes and from us', async t => {
  t.timeout(600_000)
  const both = await startBoth(t)
  if (!both) return
  const { theirs, ours } = both
  for (const seed of SEEDS) {
    const draw = seeded(seed)
    for (const side of [theirs, ours]) await empty(side)
    for (let step = 0; step < REQUESTS; step++) {
      const plan = nextPlan(draw)
      const [a, b] = [plan(theirs), plan(ours)]
      const [expected, actual] = await Promise.all([theirs.send(a), ours.send(b)])
      if (isDeepStrictEqual(expected, actual)) continue
      t.deepEqual(actual, expected, `seed ${seed}, step ${step}: ${JSON.stringify(b)}`)
      for (const side of [theirs, ours]) await empty(side)
    }
  }
})
