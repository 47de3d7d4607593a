/** `/scale` of a kind whose versions keep their number of replicas in different places: each by its own, of one object. */
import test, { type ExecutionContext } from 'ava'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'
import { define, type Json } from '../../../support/conversion.ts'
import { type Review, startWebhookServer } from '../../../support/webhook-server.ts'

const GROUP = 'fleet.example.com'
const at = (version: string, name = '') => `/apis/${GROUP}/${version}/namespaces/default/fleets/${name}`
const V1 = at('v1', 'a')
const V2 = at('v2', 'a')
const MERGE = { 'content-type': 'application/merge-patch+json' }
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
const APPLY = { 'content-type': 'application/apply-patch+yaml' }

const whole = { type: 'integer', minimum: 0 }
const text = { type: 'string' }
const of = (properties: Json): Json => ({ type: 'object', properties })

const version = (name: string, spec: Json, status: Json, scale: Json): Json => ({
  name,
  served: true,
  storage: name === 'v1',
  subresources: { status: {}, ...(scale ? { scale } : {}) },
  schema: { openAPIV3Schema: of({ spec: of(spec), status: of(status) }) },
})

const definition = (clientConfig: Json): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `fleets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'fleets', singular: 'fleet', kind: 'Fleet' },
    versions: [
      version(
        'v1',
        { replicas: whole, image: text },
        { ready: whole, selector: text },
        {
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.ready',
          labelSelectorPath: '.status.selector',
        },
      ),
      version(
        'v2',
        { size: of({ ships: { ...whole, maximum: 9 } }), image: text },
        { afloat: of({ count: whole, selector: text }) },
        {
          specReplicasPath: '.spec.size.ships',
          statusReplicasPath: '.status.afloat.count',
          labelSelectorPath: '.status.afloat.selector',
        },
      ),
      version('v3', { number: whole, image: text }, {}, undefined),
    ],
    conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
  },
})

const replicasOf = ({ replicas, size, number }: Json) => replicas ?? size?.ships ?? number

const convertSpec = (spec: Json, desired: string): Json => {
  const count = replicasOf(spec)
  const own: Json = spec.image === undefined ? {} : { image: spec.image }
  if (count === undefined) return own
  if (desired.endsWith('/v1')) return { ...own, replicas: count }
  return desired.endsWith('/v2') ? { ...own, size: { ships: count } } : { ...own, number: count }
}

const convertStatus = ({ ready, selector, afloat }: Json, desired: string): Json => {
  const [count, labels] = [ready ?? afloat?.count, selector ?? afloat?.selector]
  if (desired.endsWith('/v3')) return {}
  return desired.endsWith('/v1') ? { ready: count, selector: labels } : { afloat: { count, selector: labels } }
}

const convert = ({ objects, desiredAPIVersion: apiVersion }: Review) => ({
  result: { status: 'Success' },
  convertedObjects: objects.map((object: Json) => ({
    ...object,
    apiVersion,
    ...(object.spec ? { spec: convertSpec(object.spec, apiVersion) } : {}),
    ...(object.status ? { status: convertStatus(object.status, apiVersion) } : {}),
  })),
})

const start = async (t: ExecutionContext): Promise<RunningApiserver> => {
  const server = await startApiserver(t)
  await define(t, server, definition((await startWebhookServer(t, convert)).config()))
  const body = { apiVersion: `${GROUP}/v1`, kind: 'Fleet', metadata: { name: 'a' }, spec: { replicas: 2, image: 'i' } }
  const made = await server.fetch(at('v1'), { method: 'POST', body })
  t.is(made.code, 201, made.text)
  const status = { ready: 1, selector: 'sea=blue' }
  const said = await server.fetch(`${V1}/status`, { method: 'PATCH', body: { status }, headers: MERGE })
  t.is(said.code, 200, said.text)
  return server
}

test('either version reads the one number, and the one that has no /scale has none', async t => {
  const server = await start(t)
  for (const path of [V1, V2]) {
    const { code, json } = await server.fetch(`${path}/scale`)
    t.is(code, 200)
    t.like(json, { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 2 } })
    t.deepEqual(json.status, { replicas: 1, selector: 'sea=blue' })
    t.is(json.metadata.resourceVersion, (await server.fetch(V1)).json.metadata.resourceVersion)
  }
  t.is((await server.fetch(`${at('v3', 'a')}/scale`)).code, 404)
})

test('what is written through the one is read through the other, by every way of writing', async t => {
  const server = await start(t)
  const write = async (path: string, method: string, body: unknown, headers: Record<string, string> = {}) => {
    const { code, json, text } = await server.fetch(`${path}/scale`, { method, body, headers })
    t.is(code, 200, text)
    return json.spec.replicas
  }
  const specs = async () => [(await server.fetch(V1)).json.spec, (await server.fetch(V2)).json.spec]
  const both = (replicas: number) => [
    { replicas, image: 'i' },
    { size: { ships: replicas }, image: 'i' },
  ]
  t.is(await write(V2, 'PATCH', { spec: { replicas: 3 } }, MERGE), 3)
  t.deepEqual(await specs(), both(3))
  const read = (await server.fetch(`${V2}/scale`)).json
  t.is(await write(V2, 'PUT', { ...read, spec: { replicas: 4 } }), 4)
  t.deepEqual(await specs(), both(4))
  const stale = await server.fetch(`${V2}/scale`, { method: 'PUT', body: { ...read, spec: { replicas: 5 } } })
  t.is(stale.code, 409, 'the Scale that was read is old')
  t.is(await write(V1, 'PATCH', [{ op: 'replace', path: '/spec/replicas', value: 5 }], JSON_PATCH), 5)
  t.deepEqual(await specs(), both(5))
  const applied = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 6 } }
  const { code, text } = await server.fetch(`${V2}/scale?fieldManager=me&force=true`, {
    method: 'PATCH',
    body: applied,
    headers: APPLY,
  })
  t.is(code, 200, text)
  t.deepEqual(await specs(), both(6))
  t.is((await server.fetch(`${V1}/scale`)).json.spec.replicas, 6)
  const dry = await server.fetch(`${V2}/scale?dryRun=All`, {
    method: 'PATCH',
    body: { spec: { replicas: 7 } },
    headers: MERGE,
  })
  t.deepEqual([dry.code, dry.json.spec.replicas], [200, 7])
  t.deepEqual(await specs(), both(6))
})

test('the rules are those of the version that is asked, and who scales owns the place in that version', async t => {
  const server = await start(t)
  const scale = (path: string, replicas: number, manager: string) =>
    server.fetch(`${path}/scale?fieldManager=${manager}`, {
      method: 'PATCH',
      body: { spec: { replicas } },
      headers: MERGE,
    })
  const tooMany = await scale(V2, 10, 'x')
  t.is(tooMany.code, 422, tooMany.text)
  t.regex(tooMany.json.message, /spec\.size\.ships/)
  const negative = await scale(V1, -1, 'x')
  t.is(negative.code, 422, negative.text)
  t.is((await scale(V2, 8, 'hpa')).code, 200)
  const owners = (await server.fetch(V1)).json.metadata.managedFields
  const own = owners.find(({ manager }: Json) => manager === 'hpa')
  t.like(own, { apiVersion: `${GROUP}/v2`, subresource: 'scale', operation: 'Update' })
  t.deepEqual(own.fieldsV1, { 'f:spec': { 'f:size': { 'f:ships': {} } } })
  const conflict = await server.fetch(`${V1}?fieldManager=owner`, {
    method: 'PATCH',
    body: { apiVersion: `${GROUP}/v1`, kind: 'Fleet', metadata: { name: 'a' }, spec: { replicas: 1 } },
    headers: APPLY,
  })
  t.is(conflict.code, 409, conflict.text)
  t.regex(conflict.json.message, /conflict with "hpa" with subresource "scale"/)
})

test('a webhook that is away fails the Scale of the other version alone', async t => {
  const server = await startApiserver(t)
  let away = false
  const webhook = await startWebhookServer(t, (request: Review) => (away ? 503 : convert(request)))
  await define(t, server, definition(webhook.config()))
  const body = { apiVersion: `${GROUP}/v1`, kind: 'Fleet', metadata: { name: 'a' }, spec: { replicas: 2 } }
  t.is((await server.fetch(at('v1'), { method: 'POST', body })).code, 201)
  away = true
  t.is((await server.fetch(`${V1}/scale`)).code, 200)
  const failed = await server.fetch(`${V2}/scale`, { method: 'PATCH', body: { spec: { replicas: 3 } }, headers: MERGE })
  t.is(failed.code, 500)
  t.regex(failed.json.message, /^conversion webhook for fleet\.example\.com\/v1, Kind=Fleet failed: Post /)
  t.is(
    (await server.fetch(`${V1}/scale`, { method: 'PATCH', body: { spec: { replicas: 3 } }, headers: MERGE })).code,
    200,
  )
  away = false
  t.is((await server.fetch(`${V2}/scale`)).json.spec.replicas, 3)
})
