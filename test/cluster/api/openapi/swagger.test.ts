import test from 'ava'
import { openApiDocument, openApiIndex } from '#cluster/api/openapi/document.ts'
import { swaggerDocument } from '#cluster/api/openapi/swagger.ts'

const swagger = swaggerDocument()

type Schema = Readonly<Record<string, unknown>>
const properties = (name: string): Readonly<Record<string, Schema>> =>
  swagger.definitions[name]?.properties as Readonly<Record<string, Schema>>

/** Every object within a JSON value. */
function* objectsIn(value: unknown): Generator<Schema> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Schema
  for (const inner of Object.values(value)) yield* objectsIn(inner)
}

test('one document has the paths of all', t => {
  for (const place of Object.keys(openApiIndex().paths)) {
    const { paths } = JSON.parse(openApiDocument(place) ?? '{}')
    for (const path of Object.keys(paths)) t.truthy(swagger.paths[path], path)
  }
})

test('every reference leads somewhere, and nothing of v3 is left', t => {
  for (const object of objectsIn({ paths: swagger.paths, definitions: swagger.definitions })) {
    const { $ref } = object
    if (typeof $ref === 'string') t.truthy(swagger.definitions[$ref.replace('#/definitions/', '')], $ref)
    // Schemas of schemas have properties of these names.
    if (object.$schema !== undefined) continue
    for (const member of ['allOf', 'oneOf', 'anyOf', 'nullable', 'requestBody'])
      t.false(member in object, JSON.stringify(object))
  }
})

test('operations are told apart, and say what they take and give', t => {
  const operations = Object.values(swagger.paths).flatMap(item =>
    Object.entries(item)
      .filter(([name]) => name !== 'parameters')
      .map(([, operation]) => operation as { operationId: string; parameters: { in: string; type?: string }[] }),
  )
  const ids = operations.map(({ operationId }) => operationId)
  t.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  )
  t.true(ids.includes('listCoreV1NamespacedPod') && ids.includes('createRbacAuthorizationV1ClusterRole'))
  for (const { parameters } of operations)
    for (const { in: place, type } of parameters) t.is(place !== 'body', type !== undefined)
  const pods = swagger.paths['/api/v1/namespaces/{namespace}/pods']
  t.like(pods!.post, {
    produces: ['application/json', 'application/yaml'],
    responses: { 201: { description: 'Created' } },
  })
  t.like((pods!.parameters as object[])[0], { name: 'namespace', in: 'path', required: true, type: 'string' })
})

test('merge keys, identities, quantities and numbers that may be texts', t => {
  const service = 'io.k8s.api.core.v1.Service'
  t.deepEqual(swagger.definitions[service]?.['x-kubernetes-group-version-kind'], [
    { group: '', kind: 'Service', version: 'v1' },
  ])
  const { spec } = properties(service)
  t.is(spec?.$ref, '#/definitions/io.k8s.api.core.v1.ServiceSpec')
  t.truthy(spec?.description)
  t.like(properties('io.k8s.api.core.v1.ServiceSpec').ports, {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.ServicePort' },
    'x-kubernetes-patch-merge-key': 'port',
  })
  t.deepEqual(swagger.definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'], { type: 'string' })
  t.deepEqual(swagger.definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString'], {
    format: 'int-or-string',
    type: 'string',
  })
  // A claim is a kind, although StatefulSets mention it too.
  t.truthy(swagger.definitions['io.k8s.api.core.v1.PersistentVolumeClaim']?.['x-kubernetes-group-version-kind'])
})

test('defaults are told in v3 alone', t => {
  const [place, name, field] = ['api/v1', 'io.k8s.api.core.v1.ServicePort', 'protocol'] as const
  const { components } = JSON.parse(openApiDocument(place) ?? '{}')
  t.is(components.schemas[name].properties[field].default, 'TCP')
  t.false('default' in (properties(name)[field] ?? { default: true }))
  t.deepEqual(properties(name)[field]?.enum, ['SCTP', 'TCP', 'UDP'])
})
