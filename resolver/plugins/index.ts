/**
 * The plugins that exist, by directive, each loaded when a Corefile names it: a start that loads them all loads three
 * times as many files as kubeadm's Corefile needs (docs/decisions/0019-start.md). Order is `order.ts`'s business.
 */
import type { PluginModule } from '../plugin.ts'

const loaders: Readonly<Record<string, () => Promise<PluginModule>>> = {
  acl: async () => (await import('./acl.ts')).aclPlugin,
  any: async () => (await import('./any.ts')).anyPlugin,
  auto: async () => (await import('./auto.ts')).autoPlugin,
  autopath: async () => (await import('./autopath.ts')).autopathPlugin,
  bind: async () => (await import('./bind.ts')).bindPlugin,
  bogus_nxdomain: async () => (await import('./bogus_nxdomain.ts')).bogusNxdomainPlugin,
  bufsize: async () => (await import('./bufsize.ts')).bufsizePlugin,
  cache: async () => (await import('./cache.ts')).cachePlugin,
  cancel: async () => (await import('./cancel.ts')).cancelPlugin,
  chaos: async () => (await import('./chaos.ts')).chaosPlugin,
  debug: async () => (await import('./debug.ts')).debugPlugin,
  dns64: async () => (await import('./dns64.ts')).dns64Plugin,
  dnstap: async () => (await import('./dnstap.ts')).dnstapPlugin,
  erratic: async () => (await import('./erratic.ts')).erraticPlugin,
  errors: async () => (await import('./errors.ts')).errorsPlugin,
  file: async () => (await import('./file.ts')).filePlugin,
  filter: async () => (await import('./filter.ts')).filterPlugin,
  forward: async () => (await import('./forward.ts')).forwardPlugin,
  header: async () => (await import('./header.ts')).headerPlugin,
  health: async () => (await import('./health.ts')).healthPlugin,
  hosts: async () => (await import('./hosts.ts')).hostsPlugin,
  https: async () => (await import('./https.ts')).httpsPlugin,
  k8s_external: async () => (await import('./k8s_external.ts')).externalPlugin,
  kubernetes: async () => (await import('./kubernetes.ts')).kubernetesPlugin,
  loadbalance: async () => (await import('./loadbalance.ts')).loadbalancePlugin,
  local: async () => (await import('./local.ts')).localPlugin,
  log: async () => (await import('./log.ts')).logPlugin,
  loop: async () => (await import('./loop.ts')).loopPlugin,
  metadata: async () => (await import('./metadata.ts')).metadataPlugin,
  minimal: async () => (await import('./minimal.ts')).minimalPlugin,
  multisocket: async () => (await import('./multisocket.ts')).multisocketPlugin,
  nsid: async () => (await import('./nsid.ts')).nsidPlugin,
  policy: async () => (await import('./policy.ts')).policyPlugin,
  pprof: async () => (await import('./pprof.ts')).pprofPlugin,
  prometheus: async () => (await import('./prometheus.ts')).prometheusPlugin,
  ratelimit: async () => (await import('./ratelimit.ts')).ratelimitPlugin,
  ready: async () => (await import('./ready.ts')).readyPlugin,
  rebind: async () => (await import('./rebind.ts')).rebindPlugin,
  reload: async () => (await import('./reload.ts')).reloadPlugin,
  rewrite: async () => (await import('./rewrite.ts')).rewritePlugin,
  root: async () => (await import('./root.ts')).rootPlugin,
  sample: async () => (await import('./sample.ts')).samplePlugin,
  secondary: async () => (await import('./secondary.ts')).secondaryPlugin,
  template: async () => (await import('./template.ts')).templatePlugin,
  timeouts: async () => (await import('./timeouts.ts')).timeoutsPlugin,
  tls: async () => (await import('./tls.ts')).tlsPlugin,
  topology: async () => (await import('./topology.ts')).topologyPlugin,
  transfer: async () => (await import('./transfer.ts')).transferPlugin,
  view: async () => (await import('./view.ts')).viewPlugin,
  whoami: async () => (await import('./whoami.ts')).whoamiPlugin,
}

export const pluginNames: ReadonlySet<string> = new Set(Object.keys(loaders))

/** By directive: those of the names that exist. */
export const loadPlugins = async (names: Iterable<string>): Promise<ReadonlyMap<string, PluginModule>> => {
  const known = [...new Set(names)].filter(name => pluginNames.has(name))
  return new Map(await Promise.all(known.map(async name => [name, await loaders[name]!()] as const)))
}
