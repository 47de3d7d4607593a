/** The plugins that exist, by directive. Order is `order.ts`'s business. */
import type { PluginModule } from '../plugin.ts'
import { anyPlugin } from './any.ts'
import { bindPlugin } from './bind.ts'
import { bufsizePlugin } from './bufsize.ts'
import { cachePlugin } from './cache.ts'
import { chaosPlugin } from './chaos.ts'
import { errorsPlugin } from './errors.ts'
import { forwardPlugin } from './forward.ts'
import { healthPlugin } from './health.ts'
import { hostsPlugin } from './hosts.ts'
import { externalPlugin } from './k8s_external.ts'
import { kubernetesPlugin } from './kubernetes.ts'
import { loadbalancePlugin } from './loadbalance.ts'
import { logPlugin } from './log.ts'
import { loopPlugin } from './loop.ts'
import { minimalPlugin } from './minimal.ts'
import { nsidPlugin } from './nsid.ts'
import { prometheusPlugin } from './prometheus.ts'
import { readyPlugin } from './ready.ts'
import { reloadPlugin } from './reload.ts'
import { whoamiPlugin } from './whoami.ts'

const modules: readonly PluginModule[] = [
  anyPlugin,
  bindPlugin,
  bufsizePlugin,
  cachePlugin,
  chaosPlugin,
  errorsPlugin,
  forwardPlugin,
  healthPlugin,
  externalPlugin,
  kubernetesPlugin,
  hostsPlugin,
  loadbalancePlugin,
  logPlugin,
  loopPlugin,
  minimalPlugin,
  nsidPlugin,
  prometheusPlugin,
  readyPlugin,
  reloadPlugin,
  whoamiPlugin,
]

export const pluginModules: ReadonlyMap<string, PluginModule> = new Map(modules.map(module => [module.name, module]))
