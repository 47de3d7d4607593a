/** kubeadm's Corefile in its meaning, on loopback: what CoreDNS and Seamark are both measured with. */
import type { Setup } from './contender.ts'

/** `more`: further lines of the server block. */
export const clusterCorefile = ({ kubeconfig, upstream }: Setup, more = ''): string => `. {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${kubeconfig}
        pods insecure
        ttl 30
    }
    prometheus 127.0.0.1:0
    forward . ${upstream} {
        max_concurrent 1000
    }
    cache 30
    loadbalance
${more}}
`
