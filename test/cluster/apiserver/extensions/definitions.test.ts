import test, { type ExecutionContext } from 'ava'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const CRONTABS = '/apis/stable.example.com/v1/namespaces/default/crontabs'

// biome-ignore lint/suspicious/noExplicitAny: definitions of any shape.
type Json = any

const crontabs = (more: Json = {}, names: Json = {}): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${names.plural ?? 'crontabs'}.stable.example.com` },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], ...names },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { image: { type: 'string' }, replicas: { type: 'integer' } } },
            },
          },
        },
        ...more,
      },
    ],
  },
})

const crontab = (name: string, more: Json = {}): Json => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  ...more,
})

const until = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
  const end = performance.now() + 60_000
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > end) throw new Error('it did not come to pass')
    await new Promise(resolve => setImmediate(resolve))
  }
}

const condition = (definition: Json, type: string): Json =>
  definition.status?.conditions?.find((each: Json) => each.type === type)

const established = (server: RunningApiserver, name = 'crontabs.stable.example.com') =>
  until(async () => {
    const { json } = await server.fetch(`${DEFINITIONS}/${name}`)
    return condition(json, 'Established')?.status === 'True' && json
  })

const define = async (t: ExecutionContext, server: RunningApiserver, definition = crontabs()): Promise<Json> => {
  const { code, text } = await server.fetch(DEFINITIONS, { method: 'POST', body: definition })
  t.is(code, 201, text)
  return established(server, definition.metadata.name)
}

test('whoever reads that a definition is established can use what it defines, by every document', async t => {
  const server = await startApiserver(t, { bare: false })
  await define(t, server)
  t.is(
    (await server.fetch(CRONTABS, { method: 'POST', body: crontab('a', { spec: { image: 'i', other: 1 } }) })).code,
    201,
  )
  const { json } = await server.fetch(`${CRONTABS}/a`)
  t.deepEqual(json.spec, { image: 'i' })
  t.is(json.metadata.generation, 1)
  const groups = (await server.fetch('/apis')).json.groups.map((group: Json) => group.name)
  t.true(groups.includes('stable.example.com'))
  const aggregated = await server.fetch('/apis', {
    headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
  })
  t.true(aggregated.text.includes('"crontabs"'))
  t.deepEqual((await server.fetch('/apis/stable.example.com/v1')).json.resources[0].shortNames, ['ct'])
  t.true(Object.hasOwn((await server.fetch('/openapi/v3')).json.paths, 'apis/stable.example.com/v1'))
  const { components } = (await server.fetch('/openapi/v3/apis/stable.example.com/v1')).json
  t.is(components.schemas['com.example.stable.v1.CronTab'].properties.spec.properties.image.type, 'string')
})

test('a definition that goes takes its objects with it, and its names are free again', async t => {
  const server = await startApiserver(t)
  await define(t, server)
  await server.fetch(CRONTABS, { method: 'POST', body: crontab('a') })
  const held = crontab('held')
  held.metadata.finalizers = ['example.com/wait']
  await server.fetch(CRONTABS, { method: 'POST', body: held })
  const path = `${DEFINITIONS}/crontabs.stable.example.com`
  const { json } = await server.fetch(path, { method: 'DELETE' })
  t.deepEqual(json.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  await until(async () => (await server.fetch(`${CRONTABS}/a`)).code === 404)
  t.is(condition((await server.fetch(path)).json, 'Terminating').status, 'True')
  const refused = await server.fetch(CRONTABS, { method: 'POST', body: crontab('b') })
  t.is(refused.code, 405)
  t.is(refused.json.message, 'create not allowed while custom resource definition is terminating')
  await server.fetch(`${CRONTABS}/held`, {
    method: 'PATCH',
    body: '{"metadata":{"finalizers":null}}',
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  await until(async () => (await server.fetch(path)).code === 404)
  await until(async () => (await server.fetch(CRONTABS)).code === 404)
  await define(t, server)
  t.deepEqual((await server.fetch(CRONTABS)).json.items, [])
})

test('names that another definition has are not accepted, until they are free', async t => {
  const server = await startApiserver(t)
  await define(t, server)
  const other = crontabs({}, { plural: 'others', kind: 'Other', shortNames: ['ct'] })
  await server.fetch(DEFINITIONS, { method: 'POST', body: other })
  const path = `${DEFINITIONS}/others.stable.example.com`
  const rejected = await until(async () => {
    const { json } = await server.fetch(path)
    return condition(json, 'NamesAccepted')?.status === 'False' && json
  })
  t.like(condition(rejected, 'NamesAccepted'), { reason: 'ShortNamesConflict', message: '"ct" is already in use' })
  t.like(condition(rejected, 'Established'), { status: 'False', reason: 'NotAccepted' })
  t.is((await server.fetch('/apis/stable.example.com/v1/namespaces/default/others')).code, 404)
  await server.fetch(`${DEFINITIONS}/crontabs.stable.example.com`, { method: 'DELETE' })
  await established(server, 'others.stable.example.com')
  t.is((await server.fetch('/apis/stable.example.com/v1/namespaces/default/others')).code, 200)
})

test('kinds come and go without a watch on another being touched; their own end', async t => {
  const server = await startApiserver(t)
  await define(t, server)
  const [leases, objects] = ['/apis/coordination.k8s.io/v1/leases', CRONTABS].map(path => {
    const events: Json[] = []
    const controller = new AbortController()
    const done = watchLines(server, `${path}?watch=true`, events, controller.signal)
    t.teardown(() => controller.abort())
    return { events, done }
  })
  await until(async () => leases!.events.length >= 0 && objects!.events.length >= 0)
  await define(t, server, crontabs({}, { plural: 'others', kind: 'Other', shortNames: [] }))
  await server.fetch(CRONTABS, { method: 'POST', body: crontab('a') })
  await until(async () => objects!.events.some(({ object }) => object.metadata.name === 'a'))
  const { json } = await server.fetch(`${DEFINITIONS}/crontabs.stable.example.com`)
  json.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.added = { type: 'string', default: 'x' }
  t.is((await server.fetch(`${DEFINITIONS}/crontabs.stable.example.com`, { method: 'PUT', body: json })).code, 200)
  await objects!.done
  t.is((await until(async () => (await server.fetch(`${CRONTABS}/a`)).json)).kind, 'CronTab')
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'after' } }
  await server.fetch('/apis/coordination.k8s.io/v1/namespaces/default/leases', { method: 'POST', body: lease })
  await until(async () => leases!.events.some(({ object }) => object.metadata.name === 'after'))
})

const watchLines = async (
  server: RunningApiserver,
  path: string,
  events: Json[],
  signal: AbortSignal,
): Promise<void> => {
  const { request } = await import('node:https')
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, { ...server.tls, signal, agent: false }, reply => {
      let rest = ''
      reply.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        events.push(...lines.map(line => JSON.parse(line)))
      })
      reply.on('end', () => resolve())
      reply.on('error', () => resolve())
    })
    sent.on('error', error => (signal.aborted ? resolve() : reject(error)))
    sent.end()
  })
}

test('what is stored is served again after a restart, as the newest schema has it', async t => {
  const folder = temporaryFolder(t)
  const first = await startApiserver(t, { folder })
  await define(t, first)
  await first.fetch(CRONTABS, { method: 'POST', body: crontab('a', { spec: { image: 'i', replicas: 2 } }) })
  const { json } = await first.fetch(`${DEFINITIONS}/crontabs.stable.example.com`)
  const { properties } = json.spec.versions[0].schema.openAPIV3Schema.properties.spec
  delete properties.replicas
  properties.schedule = { type: 'string', default: '@daily' }
  await first.fetch(`${DEFINITIONS}/crontabs.stable.example.com`, { method: 'PUT', body: json })
  await first.close()
  const second = await startApiserver(t, { folder })
  t.deepEqual((await second.fetch(`${CRONTABS}/a`)).json.spec, { image: 'i', schedule: '@daily' })
})

test('several versions are the same objects; a deprecated one says so', async t => {
  const server = await startApiserver(t)
  const definition = crontabs()
  const [version] = definition.spec.versions
  definition.spec.versions.push({
    ...version,
    name: 'v1beta1',
    storage: false,
    deprecated: true,
    deprecationWarning: 'use v1',
  })
  const made = await define(t, server, definition)
  t.deepEqual(made.status.storedVersions, ['v1'])
  const old = '/apis/stable.example.com/v1beta1/namespaces/default/crontabs'
  const body = { ...crontab('a', { spec: { image: 'i' } }), apiVersion: 'stable.example.com/v1beta1' }
  const created = await server.fetch(old, { method: 'POST', body })
  t.is(created.headers.warning, '299 - "use v1"')
  t.is((await server.fetch(`${CRONTABS}/a`)).json.apiVersion, 'stable.example.com/v1')
  const again = await server.fetch(`${old}/a`)
  t.is(again.headers.warning, '299 - "use v1"')
  t.like(again.json, { apiVersion: 'stable.example.com/v1beta1', spec: { image: 'i' } })
  const { versions, preferredVersion } = (await server.fetch('/apis/stable.example.com')).json
  t.deepEqual(
    versions.map((each: Json) => each.version),
    ['v1', 'v1beta1'],
  )
  t.is(preferredVersion.version, 'v1')
})

test('objects of a version that is served no more go with their definition', async t => {
  const server = await startApiserver(t)
  const definition = crontabs()
  const [version] = definition.spec.versions
  definition.spec.versions.push({ ...version, name: 'v2', storage: false })
  const made = await define(t, server, definition)
  await server.fetch(CRONTABS, { method: 'POST', body: crontab('a') })
  for (const each of made.spec.versions) each.served = false
  const path = `${DEFINITIONS}/crontabs.stable.example.com`
  t.is((await server.fetch(path, { method: 'PUT', body: made })).code, 200)
  await until(async () => (await server.fetch(`${CRONTABS}/a`)).code === 404)
  await server.fetch(path, { method: 'DELETE' })
  await until(async () => (await server.fetch(path)).code === 404)
  await define(t, server)
  t.deepEqual((await server.fetch(CRONTABS)).json.items, [])
})

test('a format that nobody looks at is told of, once', async t => {
  const server = await startApiserver(t)
  const definition = crontabs()
  definition.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.image.format = 'picture'
  const created = await server.fetch(DEFINITIONS, { method: 'POST', body: definition })
  t.is(created.headers.warning, '299 - "unrecognized format \\"picture\\""')
  const made = await established(server)
  made.spec.names.shortNames = []
  const path = `${DEFINITIONS}/crontabs.stable.example.com`
  const changed = await server.fetch(path, { method: 'PUT', body: made })
  t.deepEqual([changed.code, changed.headers.warning], [200, undefined])
})

test('keys of JavaScript objects are fields like any other', async t => {
  const server = await startApiserver(t)
  const definition = crontabs()
  const { openAPIV3Schema } = definition.spec.versions[0].schema
  openAPIV3Schema.properties.spec = { type: 'object', additionalProperties: { type: 'string' } }
  await define(t, server, definition)
  const body =
    '{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"name":"a"},"spec":{"__proto__":"x","constructor":"y"},"__proto__":{"z":1}}'
  t.is(
    (await server.fetch(CRONTABS, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).code,
    201,
  )
  const { text } = await server.fetch(`${CRONTABS}/a`)
  t.true(text.includes('"spec":{"__proto__":"x","constructor":"y"}'), text)
  t.false(text.includes('"z"'))
  t.is(({} as Json).z, undefined)
})
