/** What a cluster is made with. Addresses are kubeadm's. */

import { familyOf, parseCidr, validateCanonicalCidr, validateEndpointIp } from '#cluster/api/ip.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { OptionTable, OptionValues } from '#lib/options.ts'
import { contains, parseRange } from '../allocation/address-range.ts'

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

const bad = (name: keyof typeof CLUSTER_OPTIONS, problem: string): SeamarkError =>
  new SeamarkError('BAD_OPTION', `${name}: ${problem}`)

/** The CIDRs of `serviceCidrs`, in their order. @throws SeamarkError BAD_OPTION */
export const parseServiceCidrs = (serviceCidrs: string): readonly string[] => {
  const cidrs = serviceCidrs.split(',').map(cidr => cidr.trim())
  for (const cidr of cidrs) {
    const [problem] = validateCanonicalCidr('', cidr)
    if (problem) throw bad('serviceCidrs', problem.message)
  }
  if (cidrs.length > 2 || new Set(cidrs.map(cidr => parseCidr(cidr)?.family)).size < cidrs.length)
    throw bad('serviceCidrs', `"${serviceCidrs}" is more than one CIDR of an IP family`)
  return cidrs
}

/** What the table's types do not say. @throws SeamarkError BAD_OPTION */
export const checkClusterOptions = (options: OptionValues<typeof CLUSTER_OPTIONS>): void => {
  const { clusterDns, advertiseAddress } = options
  const ranges = parseServiceCidrs(options.serviceCidrs).map(parseRange)
  if (clusterDns !== '' && !familyOf(clusterDns)) throw bad('clusterDns', `"${clusterDns}" is not an IP address`)
  if (clusterDns !== '' && !ranges.some(range => range && contains(range, clusterDns)))
    throw bad(
      'clusterDns',
      `${clusterDns} is no address for Services (${options.serviceCidrs}): name one, or '' for none`,
    )
  const [problem] = advertiseAddress === '' ? [] : validateEndpointIp('', advertiseAddress)
  if (problem) throw bad('advertiseAddress', problem.message)
}
