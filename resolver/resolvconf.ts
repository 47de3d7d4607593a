/**
 * A pod's resolv.conf, as the kubelet forms it (`pkg/kubelet/network/dns`) and the container runtime writes it, so that
 * a name means the same thing here and in the pod.
 *
 * Promised: pure functions; whatever was cut to stay within the limits is told in a warning with the kubelet's own
 * event reason and wording. Not promised: that the input is a valid pod (`validateDnsConfig` says whether it is).
 */
import { isIP, isIPv6 } from 'node:net'

/** Limits of the pod API and the kubelet since Kubernetes 1.28 (ExpandedDNSConfig). */
const RESOLV_CONF_LIMITS = {
  /** glibc's MAXNS: it ignores the rest. */
  nameservers: 3,
  searches: 32,
  /** Characters of all search domains with the spaces between them. */
  searchText: 2048,
  /** Characters of one search domain; glibc 2.28 aborts on one above 255. */
  search: 253,
} as const

/** The kubelet reads no more of the node's file than this. */
const MAXIMUM_FILE_BYTES = 10 * 1024 * 1024

export interface ResolvConf {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  /** `ndots:5`, `edns0`. */
  readonly options: readonly string[]
}

export interface DnsConfigOption {
  readonly name: string
  readonly value?: string
}

/** `spec.dnsConfig` of a pod. */
export interface DnsConfig {
  readonly nameservers?: readonly string[]
  readonly searches?: readonly string[]
  readonly options?: readonly DnsConfigOption[]
}

export interface ResolvConfInput {
  /** `spec.dnsPolicy`: None, Default, ClusterFirst, ClusterFirstWithHostNet; anything else is taken as ClusterFirst. */
  readonly dnsPolicy: string
  readonly dnsConfig?: DnsConfig
  readonly namespace: string
  readonly hostNetwork: boolean
  /** The kubelet's `--cluster-dns`. */
  readonly clusterDNS: readonly string[]
  /** The kubelet's `--cluster-domain`; `''` when it has none. */
  readonly clusterDomain: string
  /** Text of the file that `--resolv-conf` names; undefined where that flag is `''` (no lookups outside the cluster). */
  readonly hostFile: string | undefined
  /** The node's addresses: they choose the family of the dead end that stands in for a missing host file. */
  readonly nodeAddresses?: readonly string[]
}

export interface ResolvConfWarning {
  /** Reason of the event that the kubelet records. */
  readonly reason: 'DNSConfigForming' | 'MissingClusterDNS' | 'CheckLimitsForResolvConf'
  readonly message: string
}

type Warn = (reason: ResolvConfWarning['reason'], message: string) => void

const CLUSTER_OPTIONS = ['ndots:5'] as const
const unique = (values: readonly string[]): string[] => [...new Set(values)]
const fields = (line: string): string[] => line.split(/\s+/).filter(field => field !== '')

/** Reads a resolv.conf as the kubelet does: every nameserver counts, the last `search` line wins, as does each option. */
export const parseResolvConf = (text: string): ResolvConf => {
  const nameservers: string[] = []
  const options = new Map<string, string>()
  let searches: string[] = []
  for (const line of text.slice(0, MAXIMUM_FILE_BYTES).split('\n')) {
    if (line.trimStart().startsWith('#')) continue
    const [keyword, ...values] = fields(line)
    if (keyword === 'nameserver' && values[0] !== undefined) nameservers.push(values[0])
    // With and without its final dot a domain is the same one, and must count once.
    if (keyword === 'search') searches = values.filter(value => value !== '.').map(value => value.replace(/\.$/, ''))
    if (keyword === 'options') for (const option of values) options.set(option.split(':', 1)[0] ?? option, option)
  }
  return { nameservers, searches, options: [...options.values()] }
}

/** The file as containerd and cri-o write it. */
const formatResolvConf = ({ nameservers, searches, options }: ResolvConf): string =>
  [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map(nameserver => `nameserver ${nameserver}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ]
    .map(line => `${line}\n`)
    .join('')

/** Where the settings come from before `dnsConfig` is added. */
const baseMode = ({ dnsPolicy, hostNetwork }: ResolvConfInput): 'none' | 'cluster' | 'host' => {
  if (dnsPolicy === 'None') return 'none'
  if (dnsPolicy === 'Default') return 'host'
  // A pod on the host's network sees the host's names, unless it asks for the cluster's by ClusterFirstWithHostNet.
  return dnsPolicy === 'ClusterFirst' && hostNetwork ? 'host' : 'cluster'
}

const clusterBase = ({ clusterDNS, clusterDomain, namespace }: ResolvConfInput, host: ResolvConf): ResolvConf => {
  const searches =
    clusterDomain === '' ? [] : [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return {
    nameservers: clusterDNS,
    searches: unique([...searches, ...host.searches]),
    // The node's own options are dropped: the cluster's names need ndots of their own.
    options: CLUSTER_OPTIONS,
  }
}

const hostBase = ({ hostFile, nodeAddresses = [] }: ResolvConfInput, host: ResolvConf): ResolvConf => {
  if (hostFile !== undefined) return host
  const loopbacks = nodeAddresses.map(address => (isIPv6(address) ? '::1' : '127.0.0.1'))
  return { nameservers: loopbacks.length > 0 ? loopbacks : ['127.0.0.1'], searches: ['.'], options: [] }
}

const base = (input: ResolvConfInput, host: ResolvConf, warn: Warn): ResolvConf => {
  switch (baseMode(input)) {
    case 'none':
      return { nameservers: [], searches: [], options: [] }
    case 'host':
      return hostBase(input, host)
    case 'cluster':
      if (input.clusterDNS.length > 0) return clusterBase(input, host)
      warn(
        'MissingClusterDNS',
        'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
      )
      return hostBase(input, host)
  }
}

const addDnsConfig = (settings: ResolvConf, dnsConfig: DnsConfig): ResolvConf => {
  const options = new Map<string, string>()
  for (const option of settings.options) {
    const colon = option.indexOf(':')
    options.set(colon < 0 ? option : option.slice(0, colon), colon < 0 ? '' : option.slice(colon + 1))
  }
  for (const { name, value = '' } of dnsConfig.options ?? []) options.set(name, value)
  return {
    nameservers: unique([...settings.nameservers, ...(dnsConfig.nameservers ?? [])]),
    searches: unique([...settings.searches, ...(dnsConfig.searches ?? [])]),
    options: [...options].map(([name, value]) => (value === '' ? name : `${name}:${value}`)),
  }
}

const fitNameservers = (nameservers: readonly string[], warn: Warn): readonly string[] => {
  if (nameservers.length <= RESOLV_CONF_LIMITS.nameservers) return nameservers
  const kept = nameservers.slice(0, RESOLV_CONF_LIMITS.nameservers)
  warn(
    'DNSConfigForming',
    `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${kept.join(' ')}`,
  )
  return kept
}

/** Surplus is cut from the end; a domain that alone is too long is left out wherever it stands. */
const fitSearches = (searches: readonly string[], warn: Warn): readonly string[] => {
  const kept = searches
    .slice(0, RESOLV_CONF_LIMITS.searches)
    .filter(search => search.length <= RESOLV_CONF_LIMITS.search)
  while (kept.join(' ').length > RESOLV_CONF_LIMITS.searchText) kept.pop()
  if (kept.length < searches.length) {
    warn(
      'DNSConfigForming',
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${kept.join(' ')}`,
    )
  }
  return kept
}

/** What the kubelet tells its node when the node's own file leaves no room for the cluster's search domains. */
const hostFileProblem = ({ searches }: ResolvConf, clusterDomain: string): string | undefined => {
  const limit = clusterDomain === '' ? RESOLV_CONF_LIMITS.searches : RESOLV_CONF_LIMITS.searches - 3
  if (searches.length > limit) return `search line consisting of more than ${limit} domains`
  if (searches.some(search => search.length > RESOLV_CONF_LIMITS.search)) {
    return `a search path which length is more than allowed ${RESOLV_CONF_LIMITS.search} chars`
  }
  return searches.join(' ').length > RESOLV_CONF_LIMITS.searchText
    ? `search line which length is more than allowed ${RESOLV_CONF_LIMITS.searchText} chars`
    : undefined
}

/** The text of a pod's /etc/resolv.conf, and what its author should know. */
export const generateResolvConf = (
  input: ResolvConfInput,
): { readonly text: string; readonly warnings: readonly ResolvConfWarning[] } => {
  const warnings: ResolvConfWarning[] = []
  const warn: Warn = (reason, message) => void warnings.push({ reason, message })
  const host = parseResolvConf(input.hostFile ?? '')
  const hostProblem = hostFileProblem(host, input.clusterDomain)
  if (hostProblem !== undefined)
    warn('CheckLimitsForResolvConf', `Resolv.conf file of the node contains ${hostProblem}!`)
  const settings = base(input, host, warn)
  const merged = input.dnsConfig === undefined ? settings : addDnsConfig(settings, input.dnsConfig)
  const text = formatResolvConf({
    nameservers: fitNameservers(merged.nameservers, warn),
    searches: fitSearches(merged.searches, warn),
    options: merged.options,
  })
  return { text, warnings }
}

/** A DNS-1123 subdomain whose labels may also hold underscores (KEP-4427, GA in Kubernetes 1.34). */
const RELAXED_SEARCH = /^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*$/

const searchProblem = (search: string): string | undefined => {
  const domain = search.replace(/\.$/, '')
  if (search === '.' || (domain.length <= RESOLV_CONF_LIMITS.search && RELAXED_SEARCH.test(domain))) return undefined
  return 'must be a lower case domain name, or "."'
}

/** What the API refuses about `spec.dnsConfig`: each problem names its field. Empty when all is well. */
export const validateDnsConfig = (dnsPolicy: string, dnsConfig: DnsConfig | undefined): readonly string[] => {
  const problems: string[] = []
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {}
  const { nameservers: mostServers, searches: mostSearches, searchText } = RESOLV_CONF_LIMITS
  if (dnsPolicy === 'None' && dnsConfig === undefined) {
    problems.push('dnsConfig: must provide `dnsConfig` when `dnsPolicy` is None')
  } else if (dnsPolicy === 'None' && nameservers.length === 0) {
    problems.push('dnsConfig.nameservers: must provide at least one DNS nameserver when `dnsPolicy` is None')
  }
  if (nameservers.length > mostServers) {
    problems.push(`dnsConfig.nameservers: must not have more than ${mostServers} nameservers`)
  }
  for (const [index, nameserver] of nameservers.entries()) {
    if (isIP(nameserver) === 0) problems.push(`dnsConfig.nameservers[${index}]: must be an IP address`)
  }
  if (searches.length > mostSearches) {
    problems.push(`dnsConfig.searches: must not have more than ${mostSearches} search paths`)
  }
  if (searches.join(' ').length > searchText) {
    problems.push(`dnsConfig.searches: must not have more than ${searchText} characters (including spaces)`)
  }
  for (const [index, search] of searches.entries()) {
    const problem = searchProblem(search)
    if (problem !== undefined) problems.push(`dnsConfig.searches[${index}]: ${problem}`)
  }
  const names = new Set<string>()
  for (const [index, { name }] of options.entries()) {
    if (name === '') problems.push(`dnsConfig.options[${index}].name: must not be empty`)
    else if (names.has(name)) problems.push(`dnsConfig.options[${index}].name: ${name} stands there twice`)
    names.add(name)
  }
  return problems
}
