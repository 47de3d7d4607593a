/** The stream of requests: configurations that several managers apply, and writes of others in between. */

import { isObject } from '#cluster/api/own-property.ts'
import type { ApplyCall, ApplySide } from './apply-side.ts'
import { type Draw, pick, sometimes } from './parts.ts'

export type ApplyPlan = (side: ApplySide) => ApplyCall

// biome-ignore lint/suspicious/noExplicitAny: objects that tests make.
type Json = any

export const BASE = '/apis/test.example.com/v1/namespaces/default/things'
const API = { apiVersion: 'test.example.com/v1', kind: 'Thing' }
const NAMES = ['a', 'b', 'c']
const MANAGERS = ['one', 'two', 'three', 'kubectl']
const APPLY = 'application/apply-patch+yaml'
const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'

/** Never none: built-in types do not tell an empty list from an absent one, custom resources do. */
const subset = <Item>(draw: Draw, items: readonly Item[]): Item[] => {
  const sure = pick(draw, items)
  const chosen = items.filter(item => item === sure || sometimes(draw, 0.5))
  if (sometimes(draw, 0.3)) chosen.reverse()
  return chosen
}

/** Parts by name, each there or not. */
const some = (draw: Draw, parts: Readonly<Record<string, () => unknown>>, share = 0.5): Json => {
  const chosen: Json = {}
  for (const [name, make] of Object.entries(parts)) {
    const value = sometimes(draw, share) ? make() : undefined
    if (value !== undefined && !(isObject(value) && Object.keys(value).length === 0)) chosen[name] = value
  }
  return chosen
}

const port = (draw: Draw, [containerPort, protocol]: readonly [number, string | undefined]): Json => ({
  containerPort,
  ...(protocol === undefined ? {} : { protocol }),
  ...some(draw, { name: () => pick(draw, ['http', 'web']), hostPort: () => pick(draw, [1, 2]) }, 0.3),
})

const container = (draw: Draw, name: string): Json => ({
  name,
  ...some(draw, {
    image: () => pick(draw, ['x', 'y', 'z']),
    command: () => pick(draw, [['a'], ['a', 'b'], ['b', 'a']]),
    ports: () =>
      subset(draw, [
        [80, undefined],
        [8080, 'TCP'],
        [80, 'UDP'],
      ] as const).map(key => port(draw, key)),
    env: () => subset(draw, ['A', 'B', 'C']).map(env => ({ name: env, value: pick(draw, ['1', '2']) })),
  }),
})

const spec = (draw: Draw): Json =>
  some(draw, {
    containers: () => subset(draw, ['x', 'y', 'z']).map(name => container(draw, name)),
    nodeSelector: () => pick(draw, [{ a: 'b' }, { a: 'c', d: 'e' }]),
    tolerations: () => pick(draw, [[{ key: 'a' }], [{ key: 'a' }, { key: 'b' }]]),
    serviceAccountName: () => pick(draw, ['p', 'q']),
    priority: () => pick(draw, [1, 2, 7]),
    hostNetwork: () => true,
    securityContext: () => ({
      runAsUser: pick(draw, [1, 2]),
      ...some(draw, { seLinuxOptions: () => ({ level: pick(draw, ['s', 't']) }) }),
    }),
    hostAliases: () => subset(draw, ['1.1.1.1', '2.2.2.2']).map(ip => ({ ip, hostnames: [pick(draw, ['h', 'i'])] })),
    topologySpreadConstraints: () =>
      subset(draw, ['zone', 'host']).map(topologyKey => ({
        topologyKey,
        whenUnsatisfiable: pick(draw, ['DoNotSchedule', 'ScheduleAnyway']),
        maxSkew: pick(draw, [1, 2]),
        labelSelector: { matchLabels: { a: pick(draw, ['1', '2']) } },
      })),
  })

const metadata = (draw: Draw): Json =>
  some(
    draw,
    {
      labels: () => some(draw, { app: () => pick(draw, ['1', '2']), tier: () => 'x', 'example.com/n': () => 'y' }),
      annotations: () => some(draw, { note: () => pick(draw, ['1', '<&>\u2028']) }, 0.2),
      finalizers: () => subset(draw, ['example.com/a', 'example.com/b']),
      ownerReferences: () =>
        subset(draw, ['u', 'v']).map(uid => ({ apiVersion: 'v1', kind: 'Pod', name: pick(draw, ['n', 'm']), uid })),
    },
    0.3,
  )

const status = (draw: Draw): Json =>
  some(draw, {
    phase: () => pick(draw, ['Running', 'Pending']),
    podIP: () => pick(draw, ['1.1.1.1', '2.2.2.2']),
    conditions: () =>
      subset(draw, ['Ready', 'Initialized']).map(type => ({
        type,
        status: pick(draw, ['True', 'False']),
        lastProbeTime: '2030-01-01T00:00:00Z',
        lastTransitionTime: pick(draw, ['2030-01-01T00:00:00Z', '2030-01-01T00:00:01Z']),
      })),
  })

const body = (draw: Draw): Json => ({
  ...some(draw, { spec: () => spec(draw) }, 0.9),
  ...some(draw, { status: () => status(draw) }, 0.1),
})

const ODDITIES: readonly ((configuration: Json) => unknown)[] = [
  c => (c.wrong = 1),
  c => (c.spec = { wrong: 1 }),
  c => (c.spec = { priority: 'x' }),
  c => (c.spec = { hostNetwork: 'x' }),
  c => (c.spec = { serviceAccountName: 1 }),
  c => (c.spec = { serviceAccountName: { a: [1, 'x'] } }),
  c => (c.spec = { containers: {} }),
  c => (c.spec = 'x'),
  c => (c.spec = { containers: [{ name: 'x' }, { name: 'x' }] }),
  c => (c.spec = { containers: [{ image: 'x' }] }),
  c => (c.spec = { containers: [null] }),
  c => (c.spec = { tolerations: [{ wrong: 1 }] }),
  c => (c.spec = { nodeSelector: { a: 1 } }),
  c => (c.metadata.finalizers = ['a.b/c', 'a.b/c']),
  c => (c.metadata.labels = { a: null }),
  c => (c.metadata.managedFields = []),
  c => (c.metadata.managedFields = [{ manager: 'x' }]),
  c => (c.metadata.managedFields = null),
  c => (c.metadata.name = 'other'),
  c => delete c.metadata.name,
  c => (c.metadata.namespace = 'elsewhere'),
  c => (c.metadata.uid = 'wrong'),
  c => (c.metadata.resourceVersion = '1'),
  c => (c.metadata.creationTimestamp = null),
  c => (c.kind = 'Other'),
  c => delete c.kind,
  c => (c.apiVersion = 'v1'),
  c => (c.apiVersion = 'test.example.com/v2'),
  c => delete c.apiVersion,
  c => (c.spec = null),
]

const query = (parameters: Readonly<Record<string, string | undefined>>): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length > 0 ? `?${new URLSearchParams(given)}` : ''
}

const applyPlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  const part = sometimes(draw, 0.15) ? '/status' : ''
  const configuration = { ...API, metadata: { name, ...(part ? {} : metadata(draw)) }, ...body(draw) }
  if (part) configuration.status = status(draw)
  if (!part && sometimes(draw, 0.15)) pick(draw, ODDITIES)(configuration)
  const parameters = {
    fieldManager: sometimes(draw, 0.02) ? undefined : pick(draw, MANAGERS),
    force: sometimes(draw, 0.4) ? 'true' : pick(draw, [undefined, 'false']),
    dryRun: sometimes(draw, 0.1) ? 'All' : undefined,
    fieldValidation: pick(draw, [undefined, 'Strict', 'Warn', 'Ignore']),
  }
  const broken = !part && sometimes(draw, 0.02) ? pick(draw, ['', '[]', 'x', 'a: 1\na: 2\n', '{', '"x"']) : undefined
  return () => ({
    method: 'PATCH',
    path: `${BASE}/${name}${part}${query(parameters)}`,
    type: APPLY,
    body: broken ?? JSON.stringify(configuration),
  })
}

const owner = (fields: Json): Json => ({
  manager: 'x',
  operation: 'Update',
  apiVersion: 'test.example.com/v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:elsewhere': {} },
  ...fields,
})

/** Custom resources do not tell an empty list from none. */
const OWNERS: readonly Json[] = [
  [{}],
  [owner({ manager: 'x'.repeat(129) })],
  [owner({ manager: 'é'.repeat(65) })],
  [owner({ subresource: 'x'.repeat(257) })],
  [{ manager: 'x' }],
  [{ manager: 'x', operation: 'Wrong', apiVersion: 'test.example.com/v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
  [{ manager: 'x', operation: 'Update', apiVersion: 'test.example.com/v1', fieldsType: 'Other', fieldsV1: {} }],
  [
    {
      manager: 'x',
      operation: 'Update',
      apiVersion: 'test.example.com/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { a: {} },
    },
  ],
  [
    {
      manager: 'x',
      operation: 'Apply',
      apiVersion: 'test.example.com/v1',
      time: '2030-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:containers': { 'k:{ "name":"x" }': { 'f:image': {}, '.': {} } } } },
    },
    {
      manager: 'y',
      operation: 'Update',
      apiVersion: 'test.example.com/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:nodeSelector': { 'f:a': {} }, 'f:tolerations': { 'i:0': {} }, 'f:gone': {} } },
    },
  ],
]

const writer = (draw: Draw) => ({
  agent: pick(draw, ['curl/8', 'some agent', '']),
  fieldManager: pick(draw, [undefined, 'one', 'editor']),
})

const updatePlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  const part = sometimes(draw, 0.25) ? '/status' : ''
  const { agent, fieldManager } = writer(draw)
  const given = {
    ...API,
    metadata: { name, ...(part ? {} : metadata(draw)) },
    ...body(draw),
    ...(part ? { status: status(draw) } : {}),
  }
  const keeps = sometimes(draw, 0.3)
  const owners = sometimes(draw, 0.25) ? pick(draw, OWNERS) : undefined
  return side => {
    const known = side.objects.get(name)
    const { resourceVersion = '1', managedFields } = known?.metadata ?? {}
    const kept = keeps ? { ...known, ...API } : part ? { ...given, metadata: known?.metadata } : given
    const own = owners ?? (keeps ? managedFields : undefined)
    const object = {
      ...kept,
      metadata: { ...kept.metadata, name, resourceVersion, ...(own === undefined ? {} : { managedFields: own }) },
    }
    return {
      method: 'PUT',
      path: `${BASE}/${name}${part}${query({ fieldManager })}`,
      type: 'application/json',
      agent,
      body: JSON.stringify(object),
    }
  }
}

const patchPlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  const part = sometimes(draw, 0.25) ? '/status' : ''
  const { agent, fieldManager } = writer(draw)
  const path = `${BASE}/${name}${part}${query({ fieldManager })}`
  if (sometimes(draw, 0.3)) {
    const operations = [{ op: 'add', path: '/metadata/managedFields', value: pick(draw, OWNERS) }]
    return () => ({ method: 'PATCH', path, type: JSON_PATCH, agent, body: JSON.stringify(operations) })
  }
  const patch = {
    ...(part ? {} : { metadata: metadata(draw) }),
    ...body(draw),
    ...(part ? { status: status(draw) } : {}),
  }
  return () => ({ method: 'PATCH', path, type: MERGE, agent, body: JSON.stringify(patch) })
}

const createPlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  const { agent, fieldManager } = writer(draw)
  const owners = sometimes(draw, 0.2) ? { managedFields: pick(draw, OWNERS) } : {}
  const object = { ...API, metadata: { name, ...metadata(draw), ...owners }, ...body(draw) }
  const path = `${BASE}${query({ fieldManager })}`
  return () => ({ method: 'POST', path, type: 'application/json', agent, body: JSON.stringify(object) })
}

/** The annotation of client-side apply, by which its user goes over. */
const clientSidePlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  const last = { ...API, metadata: { name }, spec: spec(draw) }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) }
  const patch = { metadata: { annotations }, spec: last.spec }
  const path = `${BASE}/${name}?fieldManager=kubectl-client-side-apply`
  return () => ({ method: 'PATCH', path, type: MERGE, body: JSON.stringify(patch) })
}

const deletePlan = (draw: Draw): ApplyPlan => {
  const name = pick(draw, NAMES)
  return () => ({ method: 'DELETE', path: `${BASE}/${name}` })
}

const SHARES: readonly (readonly [number, (draw: Draw) => ApplyPlan])[] = [
  [60, applyPlan],
  [12, updatePlan],
  [14, patchPlan],
  [6, createPlan],
  [5, clientSidePlan],
  [3, deletePlan],
]

export const nextApplyPlan = (draw: Draw): ApplyPlan => {
  let at = draw() * SHARES.reduce((sum, [share]) => sum + share, 0)
  for (const [share, plan] of SHARES) if ((at -= share) < 0) return plan(draw)
  return applyPlan(draw)
}
