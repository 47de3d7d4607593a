/** Whose search list a client has: that of its pod's namespace. */
import { addressKey } from './address.ts'
import type { ClusterIndex } from './cluster-index.ts'

/**
 * Undefined: no live pod has the address, or it is a node's. Pods on the host's network share that address with each other
 * and with the node's own programs, whose resolv.conf is another one.
 */
export const clientNamespace = (index: ClusterIndex, address: string): string | undefined => {
  const key = addressKey(address)
  const pods = key === undefined ? [] : index.pods(key)
  const [first, ...others] = pods
  if (!first || pods.some(({ hostNetwork }) => hostNetwork)) return undefined
  return others.every(({ namespace }) => namespace === first.namespace) ? first.namespace : undefined
}
