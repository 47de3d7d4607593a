/** Roles and their bindings: what nobody granted is not allowed (Kubernetes: Using RBAC Authorization). */
import type { Binding, PolicyRule } from '#cluster/api/rbac/rbac.ts'
import type { User } from '../authenticator.ts'
import type { Attributes, Authorizer, Decision, NonResourceRule, ResourceRule } from '../authorizer.ts'
import { type Grants, subjectOf } from '../rbac/grants.ts'
import { ruleAllows } from '../rbac/rule-match.ts'

const quote = (text: string): string => JSON.stringify(text)

/** Kubernetes writes the name before the namespace here. */
const describe = (binding: Binding, user: User): string => {
  const { kind, metadata, roleRef } = binding
  const subject = subjectOf(binding, user)
  const name = metadata.namespace === undefined ? metadata.name : `${metadata.name}/${metadata.namespace}`
  const home = subject?.namespace || metadata.namespace
  const who = subject?.kind === 'ServiceAccount' ? `${subject.name}/${home}` : subject?.name
  return `${kind} ${quote(name ?? '')} of ${roleRef.kind} ${quote(roleRef.name)} to ${subject?.kind} ${quote(who ?? '')}`
}

const absent = ({ roleRef }: Binding): string => {
  const resource = roleRef.kind === 'Role' ? 'role' : 'clusterrole'
  return `${resource}.rbac.authorization.k8s.io ${quote(roleRef.name)} not found`
}

/** Its reason is put in words for those who ask for it: reviews do, requests do not. */
class Allowed implements Decision {
  readonly decision = 'allow'
  readonly #binding: Binding
  readonly #user: User

  constructor(binding: Binding, user: User) {
    this.#binding = binding
    this.#user = user
  }

  get reason(): string {
    return `RBAC: allowed by ${describe(this.#binding, this.#user)}`
  }
}

const authorize = (grants: Grants, attributes: Attributes): Decision => {
  const missing: string[] = []
  for (const binding of grants.of(attributes.user, attributes.resource?.namespace ?? '')) {
    const rules = grants.rules(binding)
    if (!rules) {
      missing.push(absent(binding))
      continue
    }
    for (const rule of rules) if (ruleAllows(rule, attributes)) return new Allowed(binding, attributes.user)
  }
  const distinct = [...new Set(missing)]
  const list = distinct.length > 1 ? `[${distinct.join(', ')}]` : distinct.join()
  return { decision: 'no-opinion', reason: list && `RBAC: ${list}` }
}

/** All rules that the user has in the namespace, and everywhere. */
const rulesOf = (grants: Grants, user: User, namespace: string): readonly PolicyRule[] =>
  [...grants.of(user, namespace)].flatMap(binding => grants.rules(binding) ?? [])

const asResourceRule = ({ verbs, apiGroups, resources, resourceNames }: PolicyRule): ResourceRule => ({
  verbs,
  ...(apiGroups ? { apiGroups } : {}),
  ...(resources ? { resources } : {}),
  ...(resourceNames ? { resourceNames } : {}),
})

export const createRbacAuthorizer = (grants: Grants): Authorizer => ({
  name: 'RBAC',
  authorize: attributes => authorize(grants, attributes),
  rulesFor(user, namespace) {
    const rules = rulesOf(grants, user, namespace)
    return {
      resourceRules: rules.filter(({ resources = [] }) => resources.length > 0).map(asResourceRule),
      nonResourceRules: rules
        .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
        .map(({ verbs, nonResourceURLs = [] }): NonResourceRule => ({ verbs, nonResourceURLs })),
    }
  },
})
