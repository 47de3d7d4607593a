/** A cluster with roles, subjects and two nodes, for tests of who may do what. */
import type { ExecutionContext } from 'ava'
import { createControllers } from '#cluster/controllers/controllers.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import { type RunningApiserver, type StartOptions, startApiserver } from '../../../support/apiserver.ts'
import { clockWith, NEVER } from '../../../support/clock-with.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export class World {
  readonly server: RunningApiserver

  constructor(server: RunningApiserver) {
    this.server = server
  }

  async make(t: ExecutionContext, path: string, body: Record<string, unknown>): Promise<Record<string, never>> {
    const { code, json, text } = await this.server.fetch(path, { method: 'POST', body })
    t.is(code, 201, text)
    return json
  }

  role(t: ExecutionContext, namespace: string | undefined, name: string, rules: readonly Rule[]) {
    const path = namespace === undefined ? `${RBAC}/clusterroles` : `${RBAC}/namespaces/${namespace}/roles`
    return this.make(t, path, { metadata: { name }, rules })
  }

  /** `subject`: `user:bob`, `group:ops`, `sa:NAMESPACE/NAME`. `role`: `Role/x`, `ClusterRole/y`. */
  bind(t: ExecutionContext, namespace: string | undefined, role: string, subject: string) {
    const path =
      namespace === undefined ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${namespace}/rolebindings`
    const [kind = '', name = ''] = role.split('/')
    return this.make(t, path, {
      metadata: { generateName: 'b-' },
      subjects: [subjectOf(subject)],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    })
  }
}

const subjectOf = (text: string) => {
  const [kind, name = ''] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
  if (kind === 'user') return { kind: 'User', name }
  if (kind === 'group') return { kind: 'Group', name }
  const [namespace, account] = name.split('/')
  return { kind: 'ServiceAccount', namespace, name: account }
}

/** Milliseconds that a write waits for a quota to be counted. */
const UNCOUNTED = 2_000

/** Ends with the test. */
export const startWorld = async (t: ExecutionContext, options: StartOptions = {}): Promise<World> =>
  new World(await startApiserver(t, { clock: clockWith({ [UNCOUNTED]: NEVER }), ...options }))

/** The same with controllers, once the aggregated roles have their rules. */
export const startGatheredWorld = async (t: ExecutionContext): Promise<World> => {
  const world = await startWorld(t)
  const { programs, fetch } = world.server
  const access = await loadKubeconfig({
    file: programs['controller-manager'],
    environment: {},
    clock: systemClock,
  })
  const environment = { clock: systemClock, random: systemRandom, logger: silentLogger, registry: createRegistry() }
  const controllers = createControllers({ access }, environment)
  await controllers.start(new AbortController().signal)
  t.teardown(() => controllers.close())
  for (let ready = false; !ready; ) {
    const { json } = await fetch(`${RBAC}/clusterroles/admin`)
    // All of edit and view has arrived in admin.
    ready = JSON.stringify(json.rules ?? []).includes('limitranges')
    if (!ready) await new Promise(resolve => setTimeout(resolve, 50))
  }
  return world
}

export const pod = (name: string, nodeName?: string, spec: Record<string, unknown> = {}) => ({
  metadata: { name },
  spec: { ...(nodeName ? { nodeName } : {}), containers: [{ name: 'c', image: 'i' }], ...spec },
})
