/** LimitRanger, Priority, RuntimeClass and the default classes: what the cluster fills in, and what is out of bounds. */
import test, { type ExecutionContext } from 'ava'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const D = `${CORE}/namespaces/default`
const LIMITS = {
  limits: [
    {
      type: 'Container',
      max: { cpu: '2', memory: '1Gi' },
      min: { cpu: '10m' },
      default: { cpu: '500m' },
      defaultRequest: { cpu: '100m', memory: '64Mi' },
      maxLimitRequestRatio: { cpu: '5' },
    },
    { type: 'Pod', max: { cpu: '3' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
  ],
}

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })

const containers = (...all: object[]) => ({
  containers: all.map((resources, index) => ({ name: `c${index}`, image: 'i', resources })),
})

const limited = async (t: ExecutionContext): Promise<World> => {
  const world = await startWorld(t)
  await world.make(t, `${D}/limitranges`, { metadata: { name: 'l' }, spec: LIMITS })
  return world
}

test('containers get the defaults that they do not say, and an annotation tells', async t => {
  const world = await limited(t)
  const init = { initContainers: [{ name: 'i', image: 'i', resources: { limits: { cpu: '200m' } } }] }
  const { json } = await create(world, `${D}/pods`, pod('p', undefined, { ...containers({}), ...init }))
  t.deepEqual(json.spec.containers[0].resources, {
    limits: { cpu: '500m', memory: '1Gi' },
    requests: { cpu: '100m', memory: '64Mi' },
  })
  t.deepEqual(json.spec.initContainers[0].resources, {
    limits: { cpu: '200m', memory: '1Gi' },
    requests: { cpu: '200m', memory: '64Mi' },
  })
  t.is(
    json.metadata.annotations['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0; memory request for init container i; memory limit for init container i',
  )
  t.is(json.status.qosClass, 'Burstable')
})

/** What of one container is out of bounds, and why. */
const OUT: readonly (readonly [resources: object, message: string])[] = [
  [{ limits: { cpu: '3' }, requests: { cpu: '1' } }, 'maximum cpu usage per Container is 2, but limit is 3'],
  [{ limits: { cpu: '25m' }, requests: { cpu: '5m' } }, 'minimum cpu usage per Container is 10m, but request is 5m'],
  [
    { limits: { cpu: '2' }, requests: { cpu: '300m' } },
    'cpu max limit to request ratio per Container is 5, but provided ratio is 6.666667',
  ],
  [
    { limits: { cpu: '3', memory: '2Gi' }, requests: { cpu: '1', memory: '2Gi' } },
    '[maximum cpu usage per Container is 2, but limit is 3, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
  ],
]

test('what is out of bounds is refused, in the words of Kubernetes', async t => {
  const world = await limited(t)
  for (const [resources, message] of OUT) {
    const { code, json } = await create(world, `${D}/pods`, pod('p', undefined, containers(resources)))
    t.is(code, 403)
    t.is(json.message, `pods "p" is forbidden: ${message}`)
  }
  const two = { limits: { cpu: '2' }, requests: { cpu: '1' } }
  const both = await create(world, `${D}/pods`, pod('p', undefined, containers(two, two)))
  t.is(both.json.message, 'pods "p" is forbidden: maximum cpu usage per Pod is 3, but limit is 4')
  const starts = { ...containers(two), initContainers: [{ name: 'i', image: 'i', resources: two }] }
  t.is((await create(world, `${D}/pods`, pod('p', undefined, starts))).code, 201, 'one after the other')
})

test('bounds that come later leave what is there alone', async t => {
  const world = await startWorld(t)
  const made = await create(world, `${D}/pods`, pod('p'))
  await world.make(t, `${D}/limitranges`, { metadata: { name: 'l' }, spec: LIMITS })
  const body = { ...made.json, metadata: { ...made.json.metadata, labels: { a: 'b' } } }
  const updated = await world.server.fetch(`${D}/pods/p`, { method: 'PUT', body })
  t.is(updated.code, 200, updated.text)
  t.is(updated.json.spec.containers[0].resources.limits, undefined)
})

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses'

test("a Pod's priority is its class's, the default's, or none", async t => {
  const world = await startWorld(t)
  const priorityOf = async (name: string, spec: Record<string, unknown>) => {
    const { json } = await create(world, `${D}/pods`, pod(name, undefined, spec))
    return [json.spec.priorityClassName, json.spec.priority, json.spec.preemptionPolicy]
  }
  t.deepEqual(await priorityOf('a', {}), [undefined, 0, 'PreemptLowerPriority'])
  await world.make(t, CLASSES, { metadata: { name: 'calm' }, value: 7, preemptionPolicy: 'Never', globalDefault: true })
  t.deepEqual(await priorityOf('b', {}), ['calm', 7, 'Never'])
  t.deepEqual(await priorityOf('c', { priorityClassName: 'system-node-critical' }), [
    'system-node-critical',
    2_000_001_000,
    'PreemptLowerPriority',
  ])
  const refusal = async (spec: Record<string, unknown>) =>
    (await create(world, `${D}/pods`, pod('d', undefined, spec))).json.message
  t.is(await refusal({ priorityClassName: 'nope' }), 'pods "d" is forbidden: no PriorityClass with name nope was found')
  t.is(
    await refusal({ priority: 8 }),
    'pods "d" is forbidden: the integer value of priority (8) must not be provided in pod spec; priority admission controller computed 7 from the given PriorityClass name',
  )
  const again = await create(world, CLASSES, { metadata: { name: 'other' }, value: 1, globalDefault: true })
  t.is(
    again.json.message,
    'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass calm is already marked as default. Only one default can exist',
  )
  const { json } = await world.server.fetch(`${D}/pods/b`)
  const { priority: _priority, preemptionPolicy: _policy, ...spec } = json.spec
  const update = await world.server.fetch(`${D}/pods/b`, { method: 'PUT', body: { ...json, spec } })
  t.deepEqual([update.code, update.json.spec.priority], [200, 7], 'an update that leaves it out keeps it')
})

test('a Pod costs what its RuntimeClass costs, and goes where that is', async t => {
  const world = await startWorld(t)
  const scheduling = { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] }
  await world.make(t, '/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'gvisor' },
    handler: 'runsc',
    overhead: { podFixed: { cpu: '250m' } },
    scheduling,
  })
  const { json } = await create(world, `${D}/pods`, pod('p', undefined, { runtimeClassName: 'gvisor' }))
  t.deepEqual([json.spec.overhead, json.spec.nodeSelector], [{ cpu: '250m' }, { sandbox: 'yes' }])
  t.true(json.spec.tolerations.some((each: { key: string }) => each.key === 'sandbox'))
  const refusal = async (spec: Record<string, unknown>) =>
    (await create(world, `${D}/pods`, pod('q', undefined, spec))).json.message
  t.is(
    await refusal({ runtimeClassName: 'nope' }),
    'pods "q" is forbidden: pod rejected: RuntimeClass "nope" not found',
  )
  t.is(
    await refusal({ overhead: { cpu: '1' } }),
    'pods "q" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  )
  t.regex(await refusal({ runtimeClassName: 'gvisor', nodeSelector: { sandbox: 'no' } }), /pod rejected: conflict/)
})
