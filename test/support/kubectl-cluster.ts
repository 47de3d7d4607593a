/**
 * A real apiserver with its controllers for a file of kubectl tests: all commands of the file share the cluster and a
 * home, and so find each other's discovery cache, as a person's do.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext, TestFn } from 'ava'
import { createControllers } from '#cluster/controllers/controllers.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import { type RunningApiserver, startApiserver } from './apiserver.ts'
import { kubectl, type Run, type RunOptions } from './kubectl.ts'

export interface KubectlCluster {
  readonly home: string
  /** Path of the admin's, once the tests run. */
  kubeconfig(): string
  /** Resolves when the namespace has the account that Pods in it need: a controller makes it. */
  accountIn(namespace: string): Promise<void>
  attempt(args: readonly string[], options?: RunOptions): Promise<Run>
  /** What it prints, trimmed; the test fails where kubectl does. */
  run(t: Pick<ExecutionContext, 'is'>, args: readonly string[], options?: RunOptions): Promise<string>
}

/** Starts it before the file's tests and ends it after them. */
export const kubectlCluster = (test: TestFn): KubectlCluster => {
  const home = mkdtempSync(join(tmpdir(), 'seamark-kubectl-'))
  const endings: (() => unknown)[] = [() => rmSync(home, { recursive: true, force: true })]
  let apiserver: RunningApiserver

  test.before(async () => {
    apiserver = await startApiserver(undefined, { options: { disableAdmissionPlugins: '' } })
    endings.push(() => apiserver.close())
    const file = apiserver.programs['controller-manager']
    const access = await loadKubeconfig({ file, environment: {}, clock: systemClock })
    const environment = { clock: systemClock, random: systemRandom, logger: silentLogger, registry: createRegistry() }
    const controllers = createControllers(
      { access, signer: apiserver.pki, metadata: apiserver.apiserver.metadata },
      environment,
    )
    endings.push(() => controllers.close())
    await controllers.start(new AbortController().signal)
    await accountIn('default')
  })

  test.after.always(async () => {
    for (const end of endings.reverse()) await end()
  })

  const accountIn = async (namespace: string): Promise<void> => {
    while ((await apiserver.fetch(`/api/v1/namespaces/${namespace}/serviceaccounts/default`)).code !== 200)
      await new Promise(resolve => setTimeout(resolve, 10))
  }
  const attempt = (args: readonly string[], options: RunOptions = {}) =>
    kubectl(args, { kubeconfig: apiserver.kubeconfig, home, ...options })
  return {
    home,
    kubeconfig: () => apiserver.kubeconfig,
    accountIn,
    attempt,
    async run(t, args, options) {
      const { code, stdout, stderr } = await attempt(args, options)
      t.is(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
  }
}
