/** What a cluster is made with. Addresses are kubeadm's. */
import type { OptionTable } from '#lib/options.ts'

export const CLUSTER_OPTIONS = {
  serviceCidrs: {
    type: 'text',
    default: '10.96.0.0/12',
    doc: 'ranges of Service addresses: one CIDR, or one of each IP family with a comma between (the first is preferred)',
  },
  clusterDns: {
    type: 'text',
    default: '10.96.0.10',
    doc: 'address of the Service kube-dns; "" leaves the Service to others',
  },
  advertiseAddress: {
    type: 'text',
    default: '',
    doc: 'this machine\'s address that pods reach it by (never loopback); "" names none in the EndpointSlices',
  },
} as const satisfies OptionTable
