/**
 * The ConfigMap `kube-dns` of kube-dns (stubDomains, upstreamNameservers) as a Corefile that does the same. What cannot be
 * taken over is a problem that names its key; nothing is left out silently.
 * Source of the keys: https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { parseDestination } from '../upstream/target.ts'
import { canonicalName, isSubdomain, parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export interface KubeDnsConfig {
  /** Domain (canonical) → addresses of its servers, with or without port. */
  readonly stubDomains: ReadonlyMap<DnsName, readonly string[]>
  /** Servers for names outside of the cluster; empty: those of the node. */
  readonly upstreamNameservers: readonly string[]
}

/** What the Corefile takes over from the cluster. */
export interface ClusterNames {
  readonly clusterDomain: string
}

/** As many as `forward` takes. */
const MAXIMUM_SERVERS = 15

/** Names that need no quotes in a Corefile: letters, digits, `-` and `_`. */
const PLAIN_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i

const KEYS = ['stubDomains', 'upstreamNameservers']

/** `data` of the ConfigMap. Problems start with the key that they are about. */
export const readKubeDnsConfig = (
  data: Readonly<Record<string, unknown>>,
  { clusterDomain }: ClusterNames,
): Result<KubeDnsConfig, readonly string[]> => {
  const cluster = readDomain(clusterDomain)
  if (!cluster.ok) return refused([`cluster domain: ${cluster.problem}`])
  const problems = Object.keys(data)
    .filter(key => !KEYS.includes(key))
    .map(key => `${key}: not a key that can be taken over (${KEYS.join(' and ')} can)`)
  const take = <Value>(key: string, otherwise: Value, read: (value: unknown) => Result<Value, string>): Value => {
    if (!Object.hasOwn(data, key)) return otherwise
    const json = parseJson(data[key])
    const value = json.ok ? read(json.value) : json
    if (value.ok) return value.value
    problems.push(`${key}: ${value.problem}`)
    return otherwise
  }
  const stubDomains = take('stubDomains', new Map<DnsName, readonly string[]>(), readStubDomains)
  const upstreamNameservers = take('upstreamNameservers', [], readServers)
  for (const domain of stubDomains.keys())
    if (isSubdomain(cluster.value, domain))
      problems.push(`stubDomains: "${domain}" would take the cluster's own names (${cluster.value}) away from it`)
  return problems.length > 0 ? refused(problems) : accepted({ stubDomains, upstreamNameservers })
}

const parseJson = (text: unknown): Result<unknown, string> => {
  if (typeof text !== 'string') return refused('not a text with JSON in it')
  try {
    return accepted(JSON.parse(text))
  } catch (error) {
    return refused(`not JSON: ${(error as Error).message}`)
  }
}

const readStubDomains = (value: unknown): Result<ReadonlyMap<DnsName, readonly string[]>, string> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused('not an object of domains, each with a list of servers')
  const problems: string[] = []
  const domains = new Map<DnsName, readonly string[]>()
  for (const [text, list] of Object.entries(value)) {
    const domain = readDomain(text)
    const servers = readServers(list)
    if (!domain.ok) problems.push(domain.problem)
    else if (!servers.ok) problems.push(`"${text}": ${servers.problem}`)
    else if (servers.value.length === 0) problems.push(`"${text}" has no server`)
    else if (domains.has(domain.value)) problems.push(`"${text}" is there twice`)
    else domains.set(domain.value, servers.value)
  }
  return problems.length > 0 ? refused(problems.join('; ')) : accepted(domains)
}

const readDomain = (text: string): Result<DnsName, string> => {
  const name = parseName(text)
  if (!PLAIN_NAME.test(text) || !name.ok) return refused(`"${text}" is not a domain name`)
  return accepted(canonicalName(name.value))
}

const readServers = (value: unknown): Result<readonly string[], string> => {
  if (!Array.isArray(value)) return refused('not a list of servers')
  if (value.length > MAXIMUM_SERVERS) return refused(`${value.length} servers are more than ${MAXIMUM_SERVERS}`)
  for (const server of value) {
    const problem = serverProblem(server)
    if (problem !== undefined) return refused(problem)
  }
  return accepted(value)
}

/** A server is an IP address, with or without port, as the ConfigMap's documentation has it. */
const serverProblem = (server: unknown): string | undefined => {
  const parsed = typeof server === 'string' && !/[\s/%]/.test(server) ? parseDestination(server) : undefined
  if (parsed?.ok && parsed.value.kind === 'server') return undefined
  return `${JSON.stringify(server)} is not an IP address, with or without :PORT`
}

/**
 * The Corefile of a cluster DNS with kubeadm's settings, in which those of kube-dns have their place: a server block for
 * each stub domain, and the upstream name servers behind `forward`.
 */
export const kubeDnsCorefile = (
  { stubDomains, upstreamNameservers }: KubeDnsConfig,
  { clusterDomain }: ClusterNames,
): string => {
  const upstreams = upstreamNameservers.length > 0 ? upstreamNameservers.join(' ') : '/etc/resolv.conf'
  const blocks = [...stubDomains].map(([domain, servers]) => stubBlock(domain, servers))
  return [mainBlock(clusterDomain, upstreams), ...blocks].join('\n')
}

const mainBlock = (clusterDomain: string, upstreams: string): string => `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . ${upstreams} {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`

const stubBlock = (domain: DnsName, servers: readonly string[]): string => `${domain.replace(/\.$/, '')}:53 {
    errors
    prometheus :9153
    forward . ${servers.join(' ')} {
        max_concurrent 1000
    }
    cache 30
    loop
}
`
