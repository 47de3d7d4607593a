/** Paths of the OpenAPI documents: the verbs that the API serves for a kind, with the parameters that clients look for. */
import type { Kind } from '../kind.ts'
import { scaleKind } from '../scale.ts'
import { type JsonSchema, kindComponent, reference } from './schemas.ts'

type Operation = Record<string, unknown>
export type PathItem = Record<string, unknown>

interface Parameter {
  readonly name: string
  readonly description: string
  readonly type: 'string' | 'boolean' | 'integer'
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const PRETTY: Parameter = { name: 'pretty', type: 'string', description: 'true: indent the answer.' }
const WRITE: readonly Parameter[] = [
  { name: 'dryRun', type: 'string', description: 'All: check everything, write nothing.' },
  { name: 'fieldManager', type: 'string', description: 'Who writes.' },
  {
    name: 'fieldValidation',
    type: 'string',
    description: 'Strict, Warn or Ignore: what unknown and repeated fields are.',
  },
]
const FORCE: Parameter = {
  name: 'force',
  type: 'boolean',
  description: 'Take fields over from others; for apply patches only.',
}
const LIST: readonly Parameter[] = [
  { name: 'allowWatchBookmarks', type: 'boolean', description: 'Whether the watch may tell how far it is.' },
  { name: 'continue', type: 'string', description: 'Where the page before ended.' },
  { name: 'fieldSelector', type: 'string', description: 'Which objects, by their fields.' },
  { name: 'labelSelector', type: 'string', description: 'Which objects, by their labels.' },
  { name: 'limit', type: 'integer', description: 'How many objects a page has.' },
  { name: 'resourceVersion', type: 'string', description: 'How new the answer must be.' },
  { name: 'resourceVersionMatch', type: 'string', description: 'NotOlderThan or Exact.' },
  { name: 'sendInitialEvents', type: 'boolean', description: 'Whether a watch begins with all that is there.' },
  { name: 'timeoutSeconds', type: 'integer', description: 'How long a watch goes on.' },
  { name: 'watch', type: 'boolean', description: 'Send changes as they happen.' },
]
const DELETE: readonly Parameter[] = [
  { name: 'dryRun', type: 'string', description: 'All: check everything, delete nothing.' },
  { name: 'gracePeriodSeconds', type: 'integer', description: 'How long the object may take to end.' },
  {
    name: 'propagationPolicy',
    type: 'string',
    description: 'Orphan, Background or Foreground: what becomes of objects that this one owns.',
  },
]

const MEDIA_TYPES = ['application/json', 'application/yaml'] as const
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const

/** kubectl apply takes the strategic patch where it is offered. */
const patchTypes = ({ namesItems }: Kind): readonly string[] =>
  PATCH_TYPES.filter(type => !namesItems || type !== 'application/strategic-merge-patch+json')

const queryParameters = (parameters: readonly Parameter[]): unknown[] =>
  parameters.map(({ name, description, type }) => ({
    name,
    in: 'query',
    description,
    schema: { type, uniqueItems: true },
  }))

const pathParameter = (name: string, description: string): unknown => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string', uniqueItems: true },
})

const content = (schema: JsonSchema, types: readonly string[] = MEDIA_TYPES): unknown =>
  Object.fromEntries(types.map(type => [type, { schema }]))

const answers = (schema: JsonSchema, codes: readonly number[]): unknown => ({
  ...Object.fromEntries(
    codes.map(code => [code, { description: code === 201 ? 'Created' : 'OK', content: content(schema) }]),
  ),
  401: { description: 'Unauthorized' },
})

interface Verb {
  readonly action: string
  readonly id: string
  readonly parameters: readonly Parameter[]
  readonly body?: unknown
  readonly answer: string
  readonly codes?: readonly number[]
}

export const listName = (kind: Kind): string => `${kindComponent(kind)}List`

const operation = (kind: Kind, { action, id, parameters, body, answer, codes = [200] }: Verb): Operation => ({
  tags: [kind.group === '' ? `core_${kind.version}` : `${kind.group.split('.')[0]}_${kind.version}`],
  operationId: id,
  ...(parameters.length > 0 ? { parameters: queryParameters(parameters) } : {}),
  ...(body === undefined ? {} : { requestBody: { content: body, required: action !== 'delete' } }),
  responses: answers(reference(answer), codes),
  'x-kubernetes-action': action,
  'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
})

const deleteCollection = (kind: Kind, scope: string): Operation =>
  operation(kind, {
    action: 'deletecollection',
    id: `deleteCollection${scope}${kind.kind}`,
    parameters: [...LIST, ...DELETE],
    body: content(reference(`${META}.DeleteOptions`)),
    answer: `${META}.Status`,
  })

const collection = (kind: Kind, scope: string): PathItem => {
  const own = kindComponent(kind)
  const list: Verb = { action: 'list', id: `list${scope}${kind.kind}`, parameters: LIST, answer: listName(kind) }
  return {
    get: operation(kind, list),
    post: operation(kind, {
      action: 'post',
      id: `create${scope}${kind.kind}`,
      parameters: WRITE,
      body: content(reference(own)),
      answer: own,
      codes: [200, 201, 202],
    }),
    // Namespaces go one by one.
    ...(kind.hasFinalize ? {} : { delete: deleteCollection(kind, scope) }),
  }
}

const readAndWrite = (kind: Kind, scope: string, suffix: string): PathItem => {
  const own = kindComponent(kind)
  const named = (verb: string) => `${verb}${scope}${kind.kind}${suffix}`
  return {
    get: operation(kind, { action: 'get', id: named('read'), parameters: [], answer: own }),
    put: operation(kind, {
      action: 'put',
      id: named('replace'),
      parameters: WRITE,
      body: content(reference(own)),
      answer: own,
      codes: [200, 201],
    }),
    patch: operation(kind, {
      action: 'patch',
      id: named('patch'),
      parameters: [...WRITE, FORCE],
      body: content(reference(`${META}.Patch`), patchTypes(kind)),
      answer: own,
      codes: [200, 201],
    }),
  }
}

const single = (kind: Kind, scope: string): PathItem => ({
  ...readAndWrite(kind, scope, ''),
  delete: operation(kind, {
    action: 'delete',
    id: `delete${scope}${kind.kind}`,
    parameters: DELETE,
    body: content(reference(`${META}.DeleteOptions`)),
    answer: kind.deleteReturnsObject ? kindComponent(kind) : `${META}.Status`,
    codes: [200, 202],
  }),
})

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

/** Subresources that change a part of the object, by name. */
const ownParts = (kind: Kind, scope: string): Record<string, PathItem> =>
  Object.fromEntries(
    Object.entries(kind.parts ?? {})
      .filter(([, { verbs }]) => verbs.length > 0)
      .map(([name, { verbs }]) => {
        const { get, put, patch } = readAndWrite(kind, scope, capital(name))
        const served = { get: verbs.includes('get') && get, put: verbs.includes('update') && put }
        const all = Object.entries({ ...served, patch: verbs.includes('patch') && patch })
        return [name, Object.fromEntries(all.filter(([, operation]) => operation))]
      }),
  )

/** Subresources that take another kind. */
const posted = (kind: Kind, scope: string): Record<string, PathItem> =>
  Object.fromEntries(
    Object.entries(kind.posts ?? {}).map(([name, other]) => {
      const id = `create${scope}${kind.kind}${capital(name)}`
      const own = kindComponent(other)
      const body = content(reference(own))
      const codes = [200, 201, 202]
      return [name, { post: operation(other, { action: 'post', id, parameters: WRITE, body, answer: own, codes }) }]
    }),
  )

/** The paths of one kind. `base`: `/api/v1`, `/apis/GROUP/VERSION`. */
export const kindPaths = (kind: Kind, base: string): Record<string, PathItem> => {
  const scope = kind.namespaced ? 'Namespaced' : ''
  const plural = kind.namespaced ? `${base}/namespaces/{namespace}/${kind.resource}` : `${base}/${kind.resource}`
  const inNamespace = kind.namespaced ? [pathParameter('namespace', 'The namespace.')] : []
  const ofName = [pathParameter('name', `Name of the ${kind.kind}.`), ...inNamespace]
  const pretty = queryParameters([PRETTY])
  if (kind.verbs?.includes('create')) {
    const { post } = collection(kind, scope)
    return { [plural]: { post, parameters: [...inNamespace, ...pretty] } }
  }
  if (kind.verbs) {
    const [many, one] = [collection(kind, scope).get, single(kind, scope).get]
    return {
      [plural]: { get: many, parameters: pretty },
      [`${plural}/{name}`]: { get: one, parameters: [...ofName, ...pretty] },
    }
  }
  const paths: Record<string, PathItem> = {
    [plural]: { ...collection(kind, scope), parameters: [...inNamespace, ...pretty] },
    [`${plural}/{name}`]: { ...single(kind, scope), parameters: [...ofName, ...pretty] },
  }
  if (kind.namespaced) {
    const { get } = collection(kind, 'AllNamespaces')
    paths[`${base}/${kind.resource}`] = { get, parameters: pretty }
  }
  if (kind.hasStatus) {
    paths[`${plural}/{name}/status`] = { ...readAndWrite(kind, scope, 'Status'), parameters: [...ofName, ...pretty] }
  }
  if (kind.scale) {
    const item = readAndWrite(scaleKind, `${scope}${kind.kind}`, '')
    paths[`${plural}/{name}/scale`] = { ...item, parameters: [...ofName, ...pretty] }
  }
  if (kind.hasFinalize) {
    const { put } = readAndWrite(kind, scope, 'Finalize')
    paths[`${plural}/{name}/finalize`] = { put, parameters: [...ofName, ...pretty] }
  }
  for (const [name, operations] of Object.entries({ ...ownParts(kind, scope), ...posted(kind, scope) }))
    paths[`${plural}/{name}/${name}`] = { ...operations, parameters: [...ofName, ...pretty] }
  return paths
}
