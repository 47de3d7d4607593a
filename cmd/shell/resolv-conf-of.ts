import { generateResolvConf } from '#resolver/resolvconf.ts'
import { readText } from '../read-text.ts'

export interface NamespaceDns {
  readonly namespace: string
  readonly clusterDns: string
  readonly clusterDomain: string
}

/** The resolv.conf that an ordinary pod of the namespace gets on this machine; warnings go to standard error. */
export const resolvConfOf = ({ namespace, clusterDns, clusterDomain }: NamespaceDns): string => {
  const { text, warnings } = generateResolvConf({
    dnsPolicy: 'ClusterFirst',
    namespace,
    hostNetwork: false,
    clusterDNS: [clusterDns],
    clusterDomain,
    hostFile: readText('/etc/resolv.conf'),
  })
  for (const { reason, message } of warnings) process.stderr.write(`seamark: ${reason}: ${message}\n`)
  return text
}
