/** A case's configuration as the Corefile that an operator would write. */
import type { CaseConfig } from './cases.ts'

const flag = (name: string, set: boolean): string[] => (set ? [name] : [])
const words = (name: string, values: readonly string[]): string[] =>
  values.length > 0 ? [[name, ...values].join(' ')] : []

const kubernetes = (config: CaseConfig): string[] => [
  `kubernetes ${config.zones.join(' ')} {`,
  ...words('ttl', [String(config.ttl)]),
  ...words('pods', [config.pods]),
  ...flag('ignore empty_service', config.ignoreEmptyService),
  ...flag('endpoint_pod_names', config.endpointPodNames),
  ...flag('noendpoints', !config.endpoints),
  ...flag('zonal', config.zonal),
  ...words('namespaces', config.namespaces ?? []),
  ...words('namespace_labels', config.namespaceLabels === null ? [] : [config.namespaceLabels]),
  ...words('labels', config.labels === null ? [] : [config.labels]),
  ...words('multicluster', config.multiclusterZones),
  ...words('fallthrough', config.fallthrough),
  '}',
  ...external(config),
  ...transfer(config),
  ...(config.autopath ? ['autopath @kubernetes'] : []),
]

const transfer = ({ transfer: settings }: CaseConfig): string[] =>
  settings ? ['transfer {', ...words('to', settings.to), '}'] : []

const external = ({ external: settings }: CaseConfig): string[] =>
  settings ? [`k8s_external ${settings.zones.join(' ')} {`, ...flag('headless', settings.headless), '}'] : []

const quoted = (text: string): string => `"${text}"`

/** Without an upstream the block is for the cluster's zones alone, so that all else is refused. */
export const corefileOf = (config: CaseConfig, upstream: string): string => {
  if (config.corefile) return config.corefile.join('\n').replaceAll('UPSTREAM', upstream)
  const keys = config.upstream ? ['.:53'] : config.zones.map(zone => `${zone}:53`)
  const forward = config.upstream ? [`forward . ${upstream}`] : []
  const identity = [
    ...flag('any', config.any === 'hinfo'),
    ...words('nsid', config.nsid === null ? [] : [config.nsid]),
    ...words('chaos', config.chaos === null ? [] : [config.chaos.version, ...config.chaos.authors.map(quoted)]),
  ]
  return [`${keys.join(' ')} {`, ...identity, ...kubernetes(config), ...forward, '}'].join('\n')
}
