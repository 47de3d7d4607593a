/** kubeadm's Corefile in its meaning, on loopback: what CoreDNS and Seamark are both measured with. */
import type { Setup } from './contender.ts'

/** `more`: further lines of the server block. */
export const clusterCorefile = (setup: Setup, more = ''): string => `${zonesOf(setup)} {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${setup.kubeconfig}
        pods insecure
        ttl 30
    }
    prometheus 127.0.0.1:0
    forward . ${setup.upstream} {
        max_concurrent 1000
    }
    cache 30
    loadbalance
    bind ${setup.address}
${certificateOf(setup)}${more}}
`

const zonesOf = ({ port, encryption }: Setup): string =>
  `.:${port}${encryption ? ` tls://.:${encryption.tlsPort} https://.:${encryption.httpsPort}` : ''}`

const certificateOf = ({ encryption }: Setup): string =>
  encryption ? `    tls ${encryption.certificate} ${encryption.key}\n` : ''
