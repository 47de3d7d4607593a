import test from 'ava'
import { componentStatusKind } from '#cluster/api/component-status.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { DESCRIPTIONS } from '#cluster/api/openapi/descriptions.ts'
import { type OpenApiDocument, openApiDocument, openApiIndex } from '#cluster/api/openapi/document.ts'
import { REVIEWS } from '#cluster/api/reviews.ts'
import { typeSchema } from '#cluster/api/schema.ts'
import { groupVersions, resourceList } from '#cluster/apiserver/discovery/documents.ts'

const documentAt = (place: string): OpenApiDocument => JSON.parse(openApiDocument(place) ?? 'null')

interface PatchOperation {
  readonly parameters: { readonly name: string }[]
  readonly requestBody: { readonly content: object }
  readonly 'x-kubernetes-group-version-kind': object
}

/** Everything that a JSON value refers to. */
const references = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

test('the index names a document a group and version, under a URL that changes with its content', t => {
  const { paths } = openApiIndex()
  const places = KINDS.map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`))
  for (const place of [...places, 'apis/authentication.k8s.io/v1', 'apis/authorization.k8s.io/v1'])
    t.truthy(paths[place], place)
  t.regex(paths['api/v1']?.serverRelativeURL ?? '', /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{64}$/)
  t.deepEqual(openApiIndex(), { paths })
  t.is(openApiDocument('apis/nobody/v1'), undefined)
})

test('every reference leads somewhere', t => {
  for (const place of Object.keys(openApiIndex().paths)) {
    const document = documentAt(place)
    for (const target of references(document)) {
      const name = target.replace('#/components/schemas/', '')
      t.truthy(document.components.schemas[name], `${place}: ${target}`)
    }
  }
})

test('every kind has its schema, and paths on which kubectl finds fieldValidation', t => {
  for (const kind of KINDS) {
    const place = kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`
    const document = documentAt(place)
    const identity = { group: kind.group, version: kind.version, kind: kind.kind }
    const schema = Object.values(document.components.schemas).find(candidate => {
      const [first] = (candidate['x-kubernetes-group-version-kind'] ?? []) as (typeof identity)[]
      return first?.kind === kind.kind && first.group === kind.group
    })
    t.truthy(schema, kind.kind)
    const patches = Object.values(document.paths)
      .flatMap(item => (item.patch === undefined ? [] : [item.patch as PatchOperation]))
      .filter(patch => JSON.stringify(patch['x-kubernetes-group-version-kind']) === JSON.stringify(identity))
    t.true(patches.length > 0, kind.kind)
    for (const { parameters, requestBody } of patches) {
      const names = parameters.map(({ name }) => name)
      t.true(names.includes('fieldValidation') && names.includes('dryRun'), kind.kind)
      t.true('application/strategic-merge-patch+json' in requestBody.content)
    }
  }
})

test('a service’s schema says how its lists merge', t => {
  const { schemas } = documentAt('api/v1').components
  const spec = schemas['io.k8s.api.core.v1.ServiceSpec']?.properties as Record<string, Record<string, unknown>>
  t.like(spec.ports, {
    type: 'array',
    items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ServicePort' }] },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'port',
  })
  t.like(spec.type, { type: 'string', enum: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'] })
  t.regex(String(spec.clusterIP?.description), /headless/)
  t.deepEqual(schemas['io.k8s.api.core.v1.ServicePort']?.required, ['port'])
})

test('every description is of something that types.json has', t => {
  for (const key of Object.keys(DESCRIPTIONS)) {
    const [, group, type, field] = /^(.+\/v\d+)\.([A-Za-z]+)(?:\.(.+))?$/.exec(key) ?? []
    const schema = typeSchema(`${group}.${type}`)
    if (field !== undefined) t.true(schema.byName.has(field), key)
  }
})

interface Resource {
  readonly name: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

const METHODS: Readonly<Record<string, string>> = {
  create: 'post',
  get: 'get',
  list: 'get',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
}

/** Method and path of each verb that discovery tells of. */
const operationsOf = ({ name, namespaced, verbs }: Resource, base: string): (readonly [string, string])[] => {
  const [plural = '', subresource] = name.split('/')
  const all = `/${base}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}`
  return verbs.flatMap(verb => {
    const method = METHODS[verb]
    if (!method) return []
    const one = subresource !== undefined || !['create', 'list'].includes(verb)
    return [[method, `${all}${one ? '/{name}' : ''}${subresource ? `/${subresource}` : ''}`] as const]
  })
}

test('what discovery tells of, the documents tell of as well, subresources and their verbs too', t => {
  let count = 0
  for (const served of groupVersions([componentStatusKind, ...KINDS, ...REVIEWS])) {
    const base = served.group === '' ? `api/${served.version}` : `apis/${served.group}/${served.version}`
    const { paths } = documentAt(base) as unknown as { paths: Record<string, Record<string, unknown>> }
    const { resources } = resourceList(served) as unknown as { resources: Resource[] }
    for (const [method, path] of resources.flatMap(resource => operationsOf(resource, base))) {
      t.truthy(paths[path]?.[method], `${method} ${path}`)
      count++
    }
  }
  t.true(count > 350, `${count} operations`)
})

/** As kube-apiserver 1.35 publishes them: by what marks the type, not by what validation closes. */
const ENUMS: Readonly<Record<string, readonly string[] | undefined>> = {
  'api/v1#core.v1.PodSpec.restartPolicy': ['Always', 'Never', 'OnFailure'],
  'api/v1#core.v1.HostPathVolumeSource.type': [
    ...['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'],
  ],
  'api/v1#core.v1.Container.restartPolicy': undefined,
  'api/v1#core.v1.PodCondition.status': undefined,
  'api/v1#core.v1.LimitRangeItem.type': undefined,
  'apis/admissionregistration.k8s.io/v1#admissionregistration.v1.RuleWithOperations.scope': [
    ...['*', 'Cluster', 'Namespaced'],
  ],
  'apis/autoscaling/v2#autoscaling.v2.MetricSpec.type': undefined,
  'apis/apps/v1#apps.v1.DeploymentStrategy.type': ['Recreate', 'RollingUpdate'],
  'apis/apps/v1#apps.v1.DeploymentCondition.type': undefined,
  'apis/discovery.k8s.io/v1#discovery.v1.EndpointSlice.addressType': ['FQDN', 'IPv4', 'IPv6'],
  'apis/networking.k8s.io/v1#networking.v1.HTTPIngressPath.pathType': ['Exact', 'ImplementationSpecific', 'Prefix'],
}

test('values are told where Kubernetes tells them, and nowhere else', t => {
  for (const [field, expected] of Object.entries(ENUMS)) {
    const [place = '', name = ''] = field.split('#')
    const at = name.lastIndexOf('.')
    const { properties } = documentAt(place).components.schemas[`io.k8s.api.${name.slice(0, at)}`] ?? {}
    const told = (properties as Record<string, { type: string; enum?: string[] }>)[name.slice(at + 1)]
    t.is(told?.type, 'string', field)
    t.deepEqual(told?.enum, expected && [...expected], field)
  }
})

test('types are named as Kubernetes names them, and those that write their own JSON promise no fields', t => {
  const crds = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
  const { schemas } = documentAt('apis/apiextensions.k8s.io/v1').components
  t.truthy(schemas[`${crds}.CustomResourceDefinition`])
  for (const name of ['JSON', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray'])
    t.deepEqual(
      Object.keys(schemas[`${crds}.${name}`] ?? { absent: true }).filter(key => key !== 'description'),
      [],
    )
  const services = documentAt('apis/apiregistration.k8s.io/v1').components.schemas
  t.truthy(services['io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService'])
  t.truthy(services['io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1'])
})
