/** `seamark resolvconf`: prints the resolv.conf that a pod would get, with the kubelet's warnings on standard error. */
import { isIP } from 'node:net'
import { Command, InvalidArgumentError, Option } from 'commander'
import { SeamarkError } from '#lib/errors.ts'
import { type DnsConfig, generateResolvConf, validateDnsConfig } from '#resolver/resolvconf.ts'
import { CLUSTER_DNS, CLUSTER_DOMAIN, namespaceOption } from './common-options.ts'
import { readManifest } from './read-manifest.ts'
import { readText } from './read-text.ts'

interface ResolvConfFlags {
  readonly namespace: string
  readonly dnsPolicy: string
  readonly hostNetwork: boolean
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  readonly resolvConf: string
  readonly nodeIp: readonly string[]
  readonly nameserver?: readonly string[]
  readonly search?: readonly string[]
  readonly option?: readonly string[]
  readonly pod?: string
}

interface PodSettings {
  readonly namespace: string
  readonly dnsPolicy: string
  readonly hostNetwork: boolean
  readonly dnsConfig: DnsConfig | undefined
}

/** The DNS part of a Pod manifest (YAML or JSON). */
const readPod = async (path: string, flags: ResolvConfFlags): Promise<PodSettings> => {
  const pod = (await readManifest(path)) as {
    kind?: string
    metadata?: { namespace?: string }
    spec?: { dnsPolicy?: string; hostNetwork?: boolean; dnsConfig?: DnsConfig }
  } | null
  if (pod?.kind !== 'Pod') throw new SeamarkError('BAD_OPTION', `${path}: kind is ${pod?.kind ?? 'missing'}, not Pod`)
  return {
    namespace: pod.metadata?.namespace ?? flags.namespace,
    dnsPolicy: pod.spec?.dnsPolicy ?? 'ClusterFirst',
    hostNetwork: pod.spec?.hostNetwork ?? false,
    dnsConfig: pod.spec?.dnsConfig,
  }
}

const podOfFlags = (flags: ResolvConfFlags): PodSettings => {
  const { nameserver, search, option } = flags
  const given = nameserver !== undefined || search !== undefined || option !== undefined
  return {
    namespace: flags.namespace,
    dnsPolicy: flags.dnsPolicy,
    hostNetwork: flags.hostNetwork,
    dnsConfig: given
      ? {
          nameservers: nameserver ?? [],
          searches: search ?? [],
          options: (option ?? []).map(text => {
            const [name = '', ...value] = text.split(':')
            return value.length > 0 ? { name, value: value.join(':') } : { name }
          }),
        }
      : undefined,
  }
}

const resolvConf = async (flags: ResolvConfFlags): Promise<void> => {
  const pod = flags.pod === undefined ? podOfFlags(flags) : await readPod(flags.pod, flags)
  const problems = validateDnsConfig(pod.dnsPolicy, pod.dnsConfig)
  if (problems.length > 0) throw new SeamarkError('BAD_OPTION', problems.map(problem => `spec.${problem}`).join('\n'))
  const { text, warnings } = generateResolvConf({
    dnsPolicy: pod.dnsPolicy,
    ...(pod.dnsConfig ? { dnsConfig: pod.dnsConfig } : {}),
    namespace: pod.namespace,
    hostNetwork: pod.hostNetwork,
    clusterDNS: flags.clusterDns,
    clusterDomain: flags.clusterDomain,
    hostFile: flags.resolvConf === '' ? undefined : readText(flags.resolvConf),
    nodeAddresses: flags.nodeIp,
  })
  for (const { reason, message } of warnings) process.stderr.write(`${reason}: ${message}\n`)
  process.stdout.write(text)
}

/** Collects the addresses of one option: the first one given takes the default's place. */
const addressList = () => {
  const given: string[] = []
  return (address: string): readonly string[] => {
    if (isIP(address) === 0) throw new InvalidArgumentError('It is not an IP address.')
    given.push(address)
    return given
  }
}

const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']

export const resolvConfCommand = (): Command =>
  new Command('resolvconf')
    .description('print the resolv.conf that the kubelet would give a pod, and what it would cut')
    .addOption(namespaceOption("the pod's namespace"))
    .addOption(new Option('--dns-policy <policy>', 'spec.dnsPolicy').choices(DNS_POLICIES).default('ClusterFirst'))
    .option('--host-network', 'spec.hostNetwork', false)
    .option('--nameserver <ip...>', 'spec.dnsConfig.nameservers')
    .option('--search <domain...>', 'spec.dnsConfig.searches')
    .option('--option <name[:value]...>', 'spec.dnsConfig.options, like ndots:2')
    .option('--pod <file>', "read all of the above from a Pod's manifest instead (- for standard input)")
    .option('--cluster-dns <ip...>', "the kubelet's --cluster-dns", addressList(), [CLUSTER_DNS])
    .option('--cluster-domain <domain>', "the kubelet's --cluster-domain", CLUSTER_DOMAIN)
    .option('--resolv-conf <file>', "the node's own file; '' for none", '/etc/resolv.conf')
    .option('--node-ip <ip...>', "the node's addresses, for --resolv-conf ''", addressList(), [])
    .addHelpText('after', '\nExample:\n  seamark resolvconf -n my-namespace --option ndots:2')
    .action(resolvConf)
