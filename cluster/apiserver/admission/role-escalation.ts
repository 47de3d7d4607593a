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

type Resource = NonNullable<Attributes['resource']>

const refuse = ({ kind, object }: AdmissionRequest, detail: string): Status =>
  forbidden({ ...kind, name: object.metadata.name ?? '' }, detail)

class RoleEscalation {
  readonly #grants: Grants
  readonly #decide: RoleEscalationEnvironment['decide']

  constructor({ grants, decide }: RoleEscalationEnvironment) {
    this.#grants = grants
    this.#decide = decide
  }

  async checkRole(request: AdmissionRequest): Promise<Refusal> {
    const { user, kind, namespace = '', name, object, current } = request
    const place = { resource: kind.resource, namespace, name: current ? name : '' }
    if (await this.#may(user, 'escalate', place)) return undefined
    const refusal = this.#checkRules(request, (object as Role).rules ?? [])
    if (refusal) return refusal
    const gathering = kind === clusterRoleKind && (gathers(object) || gathers(current))
    if (!gathering || this.#missing(request, EVERYTHING).length === 0) return undefined
    return refuse(request, 'must have cluster-admin privileges to use the aggregationRule')
  }

  async checkBinding(request: AdmissionRequest): Promise<Refusal> {
    const { user, namespace = '', object } = request
    const { roleRef } = object as Binding
    const kind = roleRef.kind === 'Role' ? roleKind : clusterRoleKind
    const place = { group: roleRef.apiGroup, resource: kind.resource, namespace, name: roleRef.name }
    if (await this.#may(user, 'bind', place)) return undefined
    const rules = this.#grants.rules(object as Binding)
    return rules ? this.#checkRules(request, rules) : notFound({ ...kind, name: roleRef.name })
  }

  async #may(user: User, verb: 'escalate' | 'bind', place: Partial<Resource>): Promise<boolean> {
    const whole = { group: RBAC_GROUP, version: '*', resource: '', subresource: '', namespace: '', name: '' }
    const { decision } = await this.#decide({ user, verb, path: '', resource: { ...whole, ...place } })
    return decision === 'allow'
  }

  #missing({ user, namespace = '' }: AdmissionRequest, rules: readonly PolicyRule[]): readonly PolicyRule[] {
    const held = [...this.#grants.of(user, namespace)].flatMap(binding => this.#grants.rules(binding) ?? [])
    return missingRules(held, rules)
  }

  #checkRules(request: AdmissionRequest, rules: readonly PolicyRule[]): Refusal {
    const lacking = this.#missing(request, rules)
    if (lacking.length === 0) return undefined
    const { name, groups } = request.user
    const who = `user ${JSON.stringify(name)} (groups=${listed(groups)})`
    const what = `is attempting to grant RBAC permissions not currently held:\n${describeMissing(lacking)}`
    return refuse(request, `${who} ${what}`)
  }
}

export const createRoleEscalation = (environment: RoleEscalationEnvironment): AdmissionPlugin => {
  const checks = new RoleEscalation(environment)
  return {
    name: 'RBACEscalation',
    validate(request) {
      const { verb, kind, user } = request
      if (verb === 'delete' || (!ROLES.has(kind) && !BINDINGS.has(kind))) return undefined
      if (user.groups.includes(MASTERS) || onlyOwnersChange(request)) return undefined
      return ROLES.has(kind) ? checks.checkRole(request) : checks.checkBinding(request)
    },
  }
}
