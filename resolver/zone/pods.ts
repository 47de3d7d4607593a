/** Names of pods by their address (Kubernetes DNS specification 1.1 §2.6, deprecated there and asked for everywhere). */
import { recordTypes } from '../wire/codes.ts'
import { parseDashedAddress } from './address.ts'
import type { NamedRequest } from './names.ts'
import { impossible, type Lookup, missing, type Node } from './node.ts'
import { addressRecords } from './service-records.ts'

type PodRequest = Extract<NamedRequest, { at: 'pod' }>

export const findPod = (lookup: Lookup, { namespace, label }: PodRequest): Node => {
  const { index, settings, owner } = lookup
  if (settings.pods === 'disabled') return impossible(() => 'names of pods are turned off (pods disabled)')
  if (!index.hasNamespace(namespace)) return missing(() => `namespace "${namespace}" does not exist, or is not served`)
  const key = parseDashedAddress(label)
  if (key === undefined) return missing(() => `"${label}" is no address with dashes for its dots or colons`)
  if (settings.pods === 'verified' && !index.pods(key).some(pod => pod.namespace === namespace)) {
    return missing(() => `no live pod in namespace "${namespace}" has this address`)
  }
  return {
    kind: 'present',
    records: type =>
      type === recordTypes.A || type === recordTypes.AAAA ? addressRecords(lookup, owner, type, [key]) : undefined,
  }
}
