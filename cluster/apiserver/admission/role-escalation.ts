/**
 * Nobody grants by a role what they do not have themselves, unless they may `escalate` it; nobody binds a role whose
 * rules they do not have, unless they may `bind` it (Kubernetes: Using RBAC, "Privilege escalation prevention").
 */

import { isDeepStrictEqual } from 'node:util'
import { clusterRoleKind } from '#cluster/api/kinds/cluster-role.ts'
import { clusterRoleBindingKind } from '#cluster/api/kinds/cluster-role-binding.ts'
import { roleKind } from '#cluster/api/kinds/role.ts'
import { roleBindingKind } from '#cluster/api/kinds/role-binding.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type Binding, type PolicyRule, RBAC_GROUP, type Role } from '#cluster/api/rbac/rbac.ts'
import { forbidden, notFound, type Status } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { MASTERS, type User } from '../authenticator.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import { describeMissing, missingRules } from '../rbac/cover.ts'
import type { Grants } from '../rbac/grants.ts'

export interface RoleEscalationEnvironment {
  readonly grants: Grants
  readonly decide: (attributes: Attributes) => Promise<Decision>
}

const ROLES = new Set([roleKind, clusterRoleKind])
const BINDINGS = new Set([roleBindingKind, clusterRoleBindingKind])

/** To gather rules by label is to have them all. */
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

const gathers = (role: ApiObject | undefined): boolean =>
  ((role as Role | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0

/** Owners and finalizers alone: what the garbage collector must be able to change of any role. */
const onlyOwnersChange = ({ object, current }: AdmissionRequest): boolean => {
  if (!current) return false
  const bare = ({ metadata, ...rest }: ApiObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...kept } = metadata
    return { ...rest, metadata: { ...kept, resourceVersion: undefined } }
  }
  return isDeepStrictEqual(bare(object), bare(current))
}

const listed = (groups: readonly string[]): string => `[${groups.map(group => JSON.stringify(group)).join(' ')}]`

export const createRoleEscalation = ({ grants, decide }: RoleEscalationEnvironment): AdmissionPlugin => {
  const may = async (user: User, verb: 'escalate' | 'bind', resource: Partial<NonNullable<Attributes['resource']>>) => {
    const whole = { group: RBAC_GROUP, version: '*', resource: '', subresource: '', namespace: '', name: '' }
    return (await decide({ user, verb, path: '', resource: { ...whole, ...resource } })).decision === 'allow'
  }

  const rulesOf = (user: User, namespace: string): readonly PolicyRule[] =>
    [...grants.of(user, namespace)].flatMap(binding => grants.rules(binding) ?? [])

  const missing = (request: AdmissionRequest, rules: readonly PolicyRule[]): readonly PolicyRule[] =>
    missingRules(rulesOf(request.user, request.namespace ?? ''), rules)

  const refuse = ({ kind, object }: AdmissionRequest, detail: string): Status =>
    forbidden({ ...kind, name: object.metadata.name ?? '' }, detail)

  const checkRules = (request: AdmissionRequest, rules: readonly PolicyRule[]): Refusal => {
    const lacking = missing(request, rules)
    if (lacking.length === 0) return undefined
    const { name, groups } = request.user
    const who = `user ${JSON.stringify(name)} (groups=${listed(groups)})`
    return refuse(
      request,
      `${who} is attempting to grant RBAC permissions not currently held:\n${describeMissing(lacking)}`,
    )
  }

  const checkRole = async (request: AdmissionRequest): Promise<Refusal> => {
    const { user, kind, namespace = '', name, object, current } = request
    if (await may(user, 'escalate', { resource: kind.resource, namespace, name: current ? name : '' })) return undefined
    const refusal = checkRules(request, (object as Role).rules ?? [])
    if (refusal) return refusal
    const gathering = kind === clusterRoleKind && (gathers(object) || gathers(current))
    if (!gathering || missing(request, EVERYTHING).length === 0) return undefined
    return refuse(request, 'must have cluster-admin privileges to use the aggregationRule')
  }

  const checkBinding = async (request: AdmissionRequest): Promise<Refusal> => {
    const { user, namespace = '', object } = request
    const { roleRef } = object as Binding
    const resource = roleRef.kind === 'Role' ? roleKind.resource : clusterRoleKind.resource
    if (await may(user, 'bind', { group: roleRef.apiGroup, resource, namespace, name: roleRef.name })) return undefined
    const rules = grants.rules(object as Binding)
    if (rules) return checkRules(request, rules)
    const kind = roleRef.kind === 'Role' ? roleKind : clusterRoleKind
    return notFound({ ...kind, name: roleRef.name })
  }

  return {
    name: 'RBACEscalation',
    validate(request) {
      const { verb, kind, user } = request
      if (verb === 'delete' || (!ROLES.has(kind) && !BINDINGS.has(kind))) return undefined
      if (user.groups.includes(MASTERS) || onlyOwnersChange(request)) return undefined
      return ROLES.has(kind) ? checkRole(request) : checkBinding(request)
    },
  }
}
