/** Laws of roles: the index decides as a look at every binding would, and nobody grants more than they have. */
import test from 'ava'
import fc from 'fast-check'
import { KINDS } from '#cluster/api/kinds/index.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Binding, PolicyRule, Role, Subject } from '#cluster/api/rbac/rbac.ts'
import type { User } from '#cluster/apiserver/authenticator.ts'
import type { Attributes } from '#cluster/apiserver/authorizer.ts'
import { createRbacAuthorizer } from '#cluster/apiserver/authz/rbac.ts'
import { missingRules } from '#cluster/apiserver/rbac/cover.ts'
import { Grants } from '#cluster/apiserver/rbac/grants.ts'
import { ruleAllows } from '#cluster/apiserver/rbac/rule-match.ts'
import type { Cacher } from '#cluster/apiserver/storage/cacher.ts'
import { storeKey } from '#cluster/apiserver/storage/keys.ts'
import { encodeStored } from '#cluster/apiserver/storage/stored-object.ts'
import { WatchCache } from '#cluster/apiserver/storage/watch-cache.ts'

const some = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 })

const rules: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', '*/log', '*'),
    resourceNames: fc.oneof(fc.constant([]), some('a', 'b')),
  }),
  fc.record({ verbs: some('get', 'list', '*'), nonResourceURLs: some('/x', '/x/*', '*') }),
)

const requests = fc.oneof(
  fc.record({
    verb: fc.constantFrom('get', 'list', 'delete'),
    group: fc.constantFrom('', 'apps', 'batch'),
    resource: fc.constantFrom('pods', 'nodes'),
    subresource: fc.constantFrom('', 'log', 'exec'),
    namespace: fc.constantFrom('', 'n1', 'n2'),
    name: fc.constantFrom('', 'a', 'b', 'c'),
  }),
  fc.record({ verb: fc.constantFrom('get', 'post'), path: fc.constantFrom('/x', '/x/y', '/y', '/xy') }),
)

const NOBODY: User = { name: 'u', groups: [] }

const attributesOf = (user: User, request: Readonly<Record<string, string>>): Attributes => {
  const { verb = '', path = '', ...resource } = request
  return 'resource' in request
    ? { user, verb, path, resource: { version: 'v1', ...resource } as unknown as NonNullable<Attributes['resource']> }
    : { user, verb, path }
}

test('law: whoever lacks nothing of some rules may do all that those rules allow', t => {
  fc.assert(
    fc.property(
      fc.array(rules, { maxLength: 3 }),
      fc.array(rules, { maxLength: 2 }),
      requests,
      (held, wanted, request) => {
        const attributes = attributesOf(NOBODY, request)
        const allowed = (list: readonly PolicyRule[]) => list.some(rule => ruleAllows(rule, attributes))
        return missingRules(held, wanted).length > 0 || !allowed(wanted) || allowed(held)
      },
    ),
    { numRuns: 20_000 },
  )
  fc.assert(fc.property(fc.array(rules, { maxLength: 4 }), held => missingRules(held, held).length === 0))
  t.pass()
})

interface Memory {
  readonly cacher: Cacher
  readonly objects: (kind: string) => readonly ApiObject[]
  readonly put: (object: ApiObject) => void
  readonly remove: (object: ApiObject) => void
}

const memory = (): Memory => {
  const caches = new Map(KINDS.map(kind => [kind.kind, new WatchCache(kind, 16)]))
  let revision = 0
  const change = (type: 'put' | 'delete', object: ApiObject) => {
    const cache = caches.get(object.kind)!
    const key = storeKey(cache.kind, object.metadata.namespace, object.metadata.name ?? '')
    revision++
    const keyValue = {
      key,
      value: encodeStored(cache.kind, object),
      createRevision: 1,
      modRevision: revision,
      version: 1,
    }
    const event = cache.apply({ type, keyValue } as unknown as Parameters<WatchCache['apply']>[0])
    if (event) cache.publish(event)
  }
  return {
    cacher: { cache: (kind: { kind: string }) => caches.get(kind.kind) } as unknown as Cacher,
    objects: kind =>
      caches
        .get(kind)!
        .list()
        .map(({ object }) => object),
    put: object => change('put', object),
    remove: object => change('delete', object),
  }
}

const isSubject = ({ kind, name, namespace }: Subject, user: User, home: string): boolean => {
  if (kind === 'User') return user.name === name
  if (kind === 'Group') return user.groups.includes(name)
  const place = namespace || home
  return place !== '' && user.name === `system:serviceaccount:${place}:${name}`
}

/** As the documentation says it: every binding is looked at. */
const allowedByAll = ({ objects }: Memory, attributes: Attributes): boolean => {
  const bindings = [...objects('ClusterRoleBinding'), ...objects('RoleBinding')] as unknown as readonly Binding[]
  return bindings.some(({ metadata, subjects = [], roleRef }) => {
    const home = metadata.namespace ?? ''
    if (home !== '' && home !== attributes.resource?.namespace) return false
    if (!subjects.some(subject => isSubject(subject, attributes.user, home))) return false
    const place = roleRef.kind === 'Role' ? home : undefined
    const role = objects(roleRef.kind).find(
      ({ metadata: found }) => found.name === roleRef.name && found.namespace === place,
    ) as Role | undefined
    return (role?.rules ?? []).some(rule => ruleAllows(rule, attributes))
  })
}

const subjects: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ kind: fc.constantFrom('User', 'Group'), name: fc.constantFrom('u', 'g', 'system:serviceaccount:n1:s') }),
  fc.record({
    kind: fc.constant('ServiceAccount'),
    name: fc.constant('s'),
    namespace: fc.constantFrom('n1', 'n2', ''),
  }),
)

const ROLE_NAMES = ['r1', 'r2'] as const
const places = fc.constantFrom(undefined, 'n1', 'n2')

const objectOf = (kind: string, name: string, namespace: string | undefined, rest: object): ApiObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === undefined ? `Cluster${kind}` : kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...rest,
})

const changes = fc.record({
  gone: fc.constantFrom(false, false, false, false, true),
  object: fc.oneof(
    fc
      .tuple(fc.constantFrom(...ROLE_NAMES), places, fc.array(rules, { minLength: 1, maxLength: 3 }))
      .map(([name, place, list]) => objectOf('Role', name, place, { rules: list })),
    fc
      .tuple(
        fc.constantFrom('b1', 'b2'),
        places,
        fc.array(subjects, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...ROLE_NAMES),
        fc.boolean(),
      )
      .map(([name, place, list, role, cluster]) =>
        objectOf('RoleBinding', name, place, {
          subjects: list,
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: cluster || place === undefined ? 'ClusterRole' : 'Role',
            name: role,
          },
        }),
      ),
  ),
})

const users: fc.Arbitrary<User> = fc.constantFrom(
  { name: 'u', groups: [] },
  { name: 'x', groups: ['g', 'u'] },
  { name: 'system:serviceaccount:n1:s', groups: ['system:serviceaccounts'] },
)

test('law: after any changes the index decides as a look at every binding', t => {
  let allowed = 0
  fc.assert(
    fc.property(
      fc.array(changes, { minLength: 10, maxLength: 30, size: 'max' }),
      fc.array(fc.tuple(users, requests), { minLength: 5, maxLength: 10 }),
      (steps, asked) => {
        const state = memory()
        const authorizer = createRbacAuthorizer(new Grants(state.cacher))
        for (const { gone, object } of steps) (gone ? state.remove : state.put)(object)
        for (const [user, request] of asked) {
          const attributes = attributesOf(user, request)
          const { decision } = authorizer.authorize(attributes) as { decision: string }
          if (decision === 'allow') allowed++
          if ((decision === 'allow') !== allowedByAll(state, attributes)) return false
        }
        return true
      },
    ),
    { numRuns: 1_000 },
  )
  t.true(allowed > 50, `${allowed} requests were allowed`)
})
