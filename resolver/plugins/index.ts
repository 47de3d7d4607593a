/** The plugins that exist, by directive. Order is `order.ts`'s business. */
import type { PluginModule } from '../plugin.ts'
import { aclPlugin } from './acl.ts'
import { anyPlugin } from './any.ts'
import { autoPlugin } from './auto.ts'
import { autopathPlugin } from './autopath.ts'
import { bindPlugin } from './bind.ts'
import { bogusNxdomainPlugin } from './bogus_nxdomain.ts'
import { bufsizePlugin } from './bufsize.ts'
import { cachePlugin } from './cache.ts'
import { cancelPlugin } from './cancel.ts'
import { chaosPlugin } from './chaos.ts'
import { debugPlugin } from './debug.ts'
import { dns64Plugin } from './dns64.ts'
import { dnstapPlugin } from './dnstap.ts'
import { erraticPlugin } from './erratic.ts'
import { errorsPlugin } from './errors.ts'
import { filePlugin } from './file.ts'
import { filterPlugin } from './filter.ts'
import { forwardPlugin } from './forward.ts'
import { headerPlugin } from './header.ts'
import { healthPlugin } from './health.ts'
import { hostsPlugin } from './hosts.ts'
import { httpsPlugin } from './https.ts'
import { externalPlugin } from './k8s_external.ts'
import { kubernetesPlugin } from './kubernetes.ts'
import { loadbalancePlugin } from './loadbalance.ts'
import { localPlugin } from './local.ts'
import { logPlugin } from './log.ts'
import { loopPlugin } from './loop.ts'
import { metadataPlugin } from './metadata.ts'
import { minimalPlugin } from './minimal.ts'
import { multisocketPlugin } from './multisocket.ts'
import { nsidPlugin } from './nsid.ts'
import { policyPlugin } from './policy.ts'
import { pprofPlugin } from './pprof.ts'
import { prometheusPlugin } from './prometheus.ts'
import { ratelimitPlugin } from './ratelimit.ts'
import { readyPlugin } from './ready.ts'
import { rebindPlugin } from './rebind.ts'
import { reloadPlugin } from './reload.ts'
import { rewritePlugin } from './rewrite.ts'
import { rootPlugin } from './root.ts'
import { samplePlugin } from './sample.ts'
import { secondaryPlugin } from './secondary.ts'
import { templatePlugin } from './template.ts'
import { timeoutsPlugin } from './timeouts.ts'
import { tlsPlugin } from './tls.ts'
import { topologyPlugin } from './topology.ts'
import { transferPlugin } from './transfer.ts'
import { viewPlugin } from './view.ts'
import { whoamiPlugin } from './whoami.ts'

const modules: readonly PluginModule[] = [
  aclPlugin,
  anyPlugin,
  autoPlugin,
  autopathPlugin,
  bindPlugin,
  bogusNxdomainPlugin,
  bufsizePlugin,
  cachePlugin,
  cancelPlugin,
  chaosPlugin,
  debugPlugin,
  dns64Plugin,
  dnstapPlugin,
  erraticPlugin,
  errorsPlugin,
  externalPlugin,
  filePlugin,
  filterPlugin,
  forwardPlugin,
  headerPlugin,
  healthPlugin,
  hostsPlugin,
  httpsPlugin,
  kubernetesPlugin,
  loadbalancePlugin,
  localPlugin,
  logPlugin,
  loopPlugin,
  metadataPlugin,
  minimalPlugin,
  multisocketPlugin,
  nsidPlugin,
  pprofPlugin,
  policyPlugin,
  prometheusPlugin,
  ratelimitPlugin,
  readyPlugin,
  rebindPlugin,
  reloadPlugin,
  rewritePlugin,
  rootPlugin,
  samplePlugin,
  secondaryPlugin,
  templatePlugin,
  timeoutsPlugin,
  tlsPlugin,
  topologyPlugin,
  transferPlugin,
  viewPlugin,
  whoamiPlugin,
]

export const pluginModules: ReadonlyMap<string, PluginModule> = new Map(modules.map(module => [module.name, module]))
