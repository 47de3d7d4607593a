/** What clients learn the API from: legacy discovery (a document a group version) and aggregated discovery (one, KEP-3352). */
import { createHash } from 'node:crypto'
import type { Kind } from '#cluster/api/kind.ts'
import { apiVersionOf, type GroupVersionKind } from '#cluster/api/object.ts'
import { scaleKind } from '#cluster/api/scale.ts'
import { compareVersions, type Priority, priorityOf } from './priorities.ts'

const OBJECT_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
/** Namespaces go one by one: kube-apiserver serves no deletecollection of them either. */
export const verbsOf = (kind: Kind): readonly string[] =>
  kind.verbs ?? (kind.hasFinalize ? OBJECT_VERBS.filter(verb => verb !== 'deletecollection') : OBJECT_VERBS)

const SUBRESOURCE_VERBS = ['get', 'patch', 'update']

interface Subresource {
  readonly name: string
  readonly verbs: readonly string[]
  /** What is sent there. */
  readonly kind: GroupVersionKind
}

/** None where the kind has no such subresource that is written as the object is. */
export const verbsOfSubresource = (kind: Kind, subresource: string): readonly string[] => {
  if (subresource === 'status') return kind.hasStatus ? SUBRESOURCE_VERBS : []
  if (subresource === 'finalize') return kind.hasFinalize ? ['update'] : []
  return kind.parts && Object.hasOwn(kind.parts, subresource) ? kind.parts[subresource]!.verbs : []
}

const subresourcesOf = (kind: Kind): readonly Subresource[] =>
  [
    ...(kind.hasFinalize ? [{ name: 'finalize', verbs: ['update'], kind }] : []),
    ...(kind.scale ? [{ name: 'scale', verbs: SUBRESOURCE_VERBS, kind: scaleKind }] : []),
    ...(kind.hasStatus ? [{ name: 'status', verbs: SUBRESOURCE_VERBS, kind }] : []),
    ...Object.entries(kind.parts ?? {})
      .filter(([, { verbs }]) => verbs.length > 0)
      .map(([name, { verbs }]) => ({ name, verbs, kind })),
    ...Object.entries(kind.posts ?? {}).map(([name, posted]) => ({ name, verbs: ['create'], kind: posted })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))

/** A version of a group that this server serves itself, or another one (aggregation). */
export interface GroupVersion {
  readonly group: string
  readonly version: string
  readonly priority: Priority
  /** None of a version that another server serves. */
  readonly kinds: readonly Kind[]
  /** As aggregated discovery has them; of another server's version alone. */
  readonly remote?: readonly unknown[]
  /** Whether the other server's word is of now. */
  readonly stale?: boolean
}

export interface Group {
  readonly name: string
  /** The preferred one first. */
  readonly versions: readonly GroupVersion[]
}

export const groupVersions = (kinds: readonly Kind[]): readonly GroupVersion[] =>
  [...Map.groupBy(kinds, apiVersionOf).values()].map(members => {
    const { group, version } = members[0]!
    return { group, version, priority: priorityOf({ group, version }), kinds: members }
  })

const inOrder = (a: GroupVersion, b: GroupVersion): number =>
  b.priority.versionPriority - a.priority.versionPriority || compareVersions(a.version, b.version)

const rankOf = ({ versions }: Group): number =>
  Math.max(...versions.map(({ priority }) => priority.groupPriorityMinimum))

export const groupsOf = (versions: readonly GroupVersion[]): readonly Group[] =>
  [...Map.groupBy(versions, ({ group }) => group)]
    .map(([name, members]) => ({ name, versions: members.toSorted(inOrder) }))
    .sort((a, b) => rankOf(b) - rankOf(a) || (a.name < b.name ? -1 : 1))

const optional = (name: string, list: readonly string[]): Record<string, unknown> =>
  list.length > 0 ? { [name]: list } : {}

/** Storage that two kinds share has one hash, by which clients know that they move together. */
const storageVersionHash = (kind: Kind): string => {
  const { group, resource } = kind.storage ?? kind
  return createHash('sha256').update(`${group}/${resource}`).digest().subarray(0, 8).toString('base64')
}

/** What is told at one path. `kind`: what it is, in meta/v1. */
export interface Document {
  readonly kind: string
  readonly [field: string]: unknown
}

const legacyResources = (kind: Kind): unknown[] => [
  {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(kind),
    ...optional('shortNames', kind.shortNames),
    ...optional('categories', kind.categories),
    // Kinds that answer and keep nothing have no storage.
    ...(kind.verbs ? {} : { storageVersionHash: storageVersionHash(kind) }),
  },
  ...subresourcesOf(kind).map(({ name, verbs, kind: sent }) => ({
    name: `${kind.resource}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(sent.group === kind.group ? {} : { group: sent.group, version: sent.version }),
    kind: sent.kind,
    verbs,
  })),
]

/** `/api/v1`, `/apis/GROUP/VERSION`. */
export const resourceList = (groupVersion: GroupVersion): Document => ({
  kind: 'APIResourceList',
  ...(groupVersion.group === '' ? {} : { apiVersion: 'v1' }),
  groupVersion: apiVersionOf(groupVersion),
  resources: groupVersion.kinds
    .flatMap(legacyResources)
    .sort((a, b) => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1)),
})

const groupBody = ({ name, versions }: Group): Record<string, unknown> => {
  const named = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: named, preferredVersion: named[0] }
}

/** `/apis/GROUP`. */
export const groupDocument = (group: Group): Document => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) })

/** `/apis`. */
export const groupList = (groups: readonly Group[]): Document => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter(({ name }) => name !== '').map(groupBody),
})

/** `/api`. `address`: HOST:PORT of this server. */
export const coreVersions = (address: string): Document => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
})

const aggregatedResource = (kind: Kind): unknown => {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind }
  const subresources = subresourcesOf(kind).map(({ name, verbs, kind: { group, version, kind } }) => ({
    subresource: name,
    responseKind: { group, version, kind },
    verbs,
  }))
  return {
    resource: kind.resource,
    responseKind,
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...optional('shortNames', kind.shortNames),
    ...optional('categories', kind.categories),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}

const aggregatedVersion = ({ version, kinds, remote, stale }: GroupVersion): unknown => ({
  version,
  resources: remote ?? kinds.map(aggregatedResource),
  freshness: stale ? 'Stale' : 'Current',
})

/** Aggregated discovery of `/api` (the core group alone) or `/apis` (the others). */
export const aggregatedDiscovery = (
  groups: readonly Group[],
  root: 'api' | 'apis',
  version: 'v2' | 'v2beta1',
): Document & { readonly apiVersion: string } => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groups
    .filter(({ name }) => (name === '') === (root === 'api'))
    .map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map(aggregatedVersion),
    })),
})
