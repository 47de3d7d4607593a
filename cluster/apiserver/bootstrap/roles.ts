/**
 * The roles and bindings that every cluster starts with: Kubernetes's own (default-roles.json: names and rules of 1.35,
 * facts) and that of our DNS server, which is CoreDNS's. Mended at each start as Kubernetes does: what is missing of
 * rules, subjects, labels and annotations comes back, what was added stays; an object whose annotation
 * `rbac.authorization.kubernetes.io/autoupdate` is `false` is left alone.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Kind } from '#cluster/api/kind.ts'
import { clusterRoleKind } from '#cluster/api/kinds/cluster-role.ts'
import { clusterRoleBindingKind } from '#cluster/api/kinds/cluster-role-binding.ts'
import { roleKind } from '#cluster/api/kinds/role.ts'
import { roleBindingKind } from '#cluster/api/kinds/role-binding.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { type Binding, type PolicyRule, RBAC_GROUP, type Role } from '#cluster/api/rbac/rbac.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Logger } from '#lib/log.ts'
import type { Result } from '#lib/result.ts'
import type { LocalClient } from '../client.ts'
import { missingRules } from '../rbac/cover.ts'

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

const KINDS: Readonly<Record<string, Kind>> = {
  ClusterRole: clusterRoleKind,
  ClusterRoleBinding: clusterRoleBindingKind,
  Role: roleKind,
  RoleBinding: roleBindingKind,
}

interface Fact {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** As kubeadm makes it for CoreDNS: our DNS server runs under the same service account. */
const COREDNS: readonly Fact[] = [
  {
    kind: 'ClusterRole',
    name: 'system:coredns',
    rules: [
      { verbs: ['list', 'watch'], apiGroups: [''], resources: ['endpoints', 'namespaces', 'pods', 'services'] },
      { verbs: ['list', 'watch'], apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
    ],
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'system:coredns',
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: 'system:coredns' },
    subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
  },
]

const readFacts = (): readonly Fact[] => [
  ...(JSON.parse(readFileSync(new URL('./default-roles.json', import.meta.url), 'utf8')) as Fact[]),
  ...COREDNS,
]

/** What a ClusterRole of Kubernetes's says, whatever became of it in the cluster. */
export const defaultRules = (clusterRole: string): readonly PolicyRule[] => {
  const fact = readFacts().find(({ kind, name }) => kind === 'ClusterRole' && name === clusterRole)
  return (fact?.rules ?? []) as readonly PolicyRule[]
}

const objectOf = ({ kind, name, namespace, labels, ...rest }: Fact): ApiObject => ({
  apiVersion: apiVersionOf(KINDS[kind]!),
  kind,
  metadata: {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { [AUTO_UPDATE]: 'true' },
  },
  ...rest,
})

const withMetadata = (current: ApiObject, { metadata }: ApiObject): ApiObject['metadata'] => ({
  ...current.metadata,
  labels: { ...metadata.labels, ...current.metadata.labels },
  annotations: { ...metadata.annotations, ...current.metadata.annotations },
})

/** Rules of a role that gathers its rules are the aggregation controller's. */
const mendRole = (current: Role, wanted: Role): Role => {
  const metadata = withMetadata(current, wanted)
  if (wanted.aggregationRule) {
    const has = current.aggregationRule?.clusterRoleSelectors ?? []
    const lacks = (wanted.aggregationRule.clusterRoleSelectors ?? []).filter(
      selector => !has.some(other => isDeepStrictEqual(other, selector)),
    )
    if (lacks.length === 0) return { ...current, metadata }
    return { ...current, metadata, aggregationRule: { clusterRoleSelectors: [...has, ...lacks] } }
  }
  const rules = current.rules ?? []
  const lacks = missingRules(rules, wanted.rules ?? [])
  return lacks.length === 0 ? { ...current, metadata } : { ...current, metadata, rules: [...rules, ...lacks] }
}

const mendBinding = (current: Binding, wanted: Binding): Binding => {
  const metadata = withMetadata(current, wanted)
  const subjects = current.subjects ?? []
  const lacks = (wanted.subjects ?? []).filter(
    ({ kind, name, namespace = '' }) =>
      !subjects.some(other => other.kind === kind && other.name === name && (other.namespace ?? '') === namespace),
  )
  return lacks.length === 0 ? { ...current, metadata } : { ...current, metadata, subjects: [...subjects, ...lacks] }
}

const isBinding = (object: ApiObject): object is Binding => 'roleRef' in object

/** What a binding grants cannot be changed, so a binding to another role makes way. */
const grantsAnother = (current: ApiObject, wanted: ApiObject): boolean =>
  isBinding(wanted) && !isDeepStrictEqual({ ...(current as Binding).roleRef }, { ...wanted.roleRef })

/** Undefined: nothing to do. */
const settle = async (
  client: LocalClient,
  kind: Kind,
  current: ApiObject | undefined,
  wanted: ApiObject,
): Promise<Result<ApiObject, Status> | undefined> => {
  if (!current) return client.create(kind, wanted)
  if (current.metadata.annotations?.[AUTO_UPDATE] === 'false') return undefined
  if (grantsAnother(current, wanted)) {
    const removed = await client.remove(kind, wanted.metadata.namespace, wanted.metadata.name ?? '')
    return removed.ok ? client.create(kind, wanted) : removed
  }
  const next = isBinding(wanted) ? mendBinding(current as Binding, wanted) : mendRole(current as Role, wanted as Role)
  return isDeepStrictEqual(next, current) ? undefined : client.update(kind, next)
}

/** Another writer was quicker this often: give up and say so. */
const TRIES = 5

const keyOf = ({ metadata }: ApiObject): string => `${metadata.namespace ?? ''}/${metadata.name}`

/** All at a time: they share the store's syncs. What cannot be made is logged. */
export const bootstrapRoles = async (client: LocalClient, logger: Logger): Promise<void> => {
  const present = new Map<Kind, Map<string, ApiObject>>()
  for (const kind of Object.values(KINDS))
    present.set(kind, new Map((await client.list(kind)).map(object => [keyOf(object), object])))
  const make = async (fact: Fact): Promise<void> => {
    const kind = KINDS[fact.kind]!
    const wanted = objectOf(fact)
    const { namespace, name = '' } = wanted.metadata
    let result = await settle(client, kind, present.get(kind)?.get(keyOf(wanted)), wanted)
    // 409: another apiserver that starts was quicker.
    for (let tries = 1; result && !result.ok && result.problem.code === 409 && tries < TRIES; tries++)
      result = await settle(client, kind, await client.get(kind, namespace, name), wanted)
    if (result && !result.ok) {
      const { message } = result.problem
      logger.error({ kind: kind.kind, namespace, name, reason: message }, 'cannot make a first role')
    }
  }
  await Promise.all(readFacts().map(make))
}
