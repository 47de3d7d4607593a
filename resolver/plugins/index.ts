/** The plugins that exist, by directive. Order is `order.ts`'s business. */
import type { PluginModule } from '../plugin.ts'
import { bindPlugin } from './bind.ts'
import { cachePlugin } from './cache.ts'
import { errorsPlugin } from './errors.ts'
import { forwardPlugin } from './forward.ts'
import { healthPlugin } from './health.ts'
import { kubernetesPlugin } from './kubernetes.ts'
import { loadbalancePlugin } from './loadbalance.ts'
import { prometheusPlugin } from './prometheus.ts'
import { readyPlugin } from './ready.ts'

const modules: readonly PluginModule[] = [
  bindPlugin,
  cachePlugin,
  errorsPlugin,
  forwardPlugin,
  healthPlugin,
  kubernetesPlugin,
  loadbalancePlugin,
  prometheusPlugin,
  readyPlugin,
]

export const pluginModules: ReadonlyMap<string, PluginModule> = new Map(modules.map(module => [module.name, module]))
