/** A ClusterRole with an aggregationRule has the rules of all ClusterRoles that its selectors choose, each once. */
import { isDeepStrictEqual } from 'node:util'
import { matchesSelector } from '#cluster/api/label-selector.ts'
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { CreateController } from '../controller.ts'
import { type ClusterRoleView, clusterRoles } from '../views.ts'

const gather = (role: ClusterRoleView, all: readonly ClusterRoleView[]): unknown[] => {
  const rules: unknown[] = []
  for (const selector of role.selectors ?? []) {
    const chosen = all.filter(other => other.name !== role.name && matchesSelector(selector, other.labels))
    for (const rule of chosen.flatMap(other => other.rules))
      if (!rules.some(known => isDeepStrictEqual(known, rule))) rules.push(rule)
  }
  return rules
}

export const clusterRoleAggregationController: CreateController = environment => {
  const roles = environment.informer(clusterRoles)
  const { client } = environment
  return {
    name: 'cluster-role-aggregation',
    watch(wake) {
      // Whichever role changes, any that gathers may have to.
      roles.subscribe(() => {
        for (const [name, { selectors }] of roles.entries()) if (selectors) wake(name)
      })
    },
    async reconcile(name, signal) {
      const role = roles.get(name)
      if (!role?.selectors) return 'settled'
      const all = [...roles.entries()].map(([, other]) => other).sort((a, b) => (a.name < b.name ? -1 : 1))
      const rules = gather(role, all)
      if (isDeepStrictEqual(rules, role.rules)) return 'settled'
      try {
        await client.patch(clusterRoles.resource, { name }, { type: 'merge', body: { rules } }, { signal })
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error
      }
      return 'settled'
    },
  }
}
