/**
 * What a Pod asks for and may take in all (KEP-753): its containers together with the sidecars, or, where that is more,
 * the largest init container with the sidecars that were started before it; what the Pod says of itself counts before
 * that, and the overhead of how it is run comes on top (KEP-688).
 */
import type { Quantity } from '../quantity.ts'
import { type Amounts, addAmounts, raiseAmounts, readAmounts } from '../resource-list.ts'
import type { Container, PodSpec } from './pod.ts'

export type Demand = 'requests' | 'limits'

/** KEP-2837: what a Pod may say of itself. */
const ofPod = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'

const ofContainers = ({ containers = [], initContainers = [] }: PodSpec, demand: Demand): Map<string, Quantity> => {
  const read = ({ resources }: Container): Amounts => readAmounts(resources?.[demand])
  const total = new Map<string, Quantity>()
  for (const container of containers) addAmounts(total, read(container))
  const sidecars = new Map<string, Quantity>()
  const starting = new Map<string, Quantity>()
  for (const container of initContainers) {
    const own = read(container)
    if (isSidecar(container)) {
      addAmounts(total, own)
      addAmounts(sidecars, own)
      raiseAmounts(starting, sidecars)
    } else {
      const during = new Map(sidecars)
      addAmounts(during, own)
      raiseAmounts(starting, during)
    }
  }
  raiseAmounts(total, starting)
  return total
}

/** Without the overhead of how the Pod is run. */
export const podDemand = (spec: PodSpec, demand: Demand): Map<string, Quantity> => {
  const total = ofContainers(spec, demand)
  for (const [name, amount] of readAmounts(spec.resources?.[demand])) if (ofPod(name)) total.set(name, amount)
  return total
}

/** With it: to requests, and to limits that there are. */
export const podDemandWithOverhead = (spec: PodSpec, demand: Demand): Map<string, Quantity> => {
  const total = podDemand(spec, demand)
  const overhead = readAmounts(spec.overhead as Record<string, string> | undefined)
  addAmounts(total, demand === 'requests' ? overhead : new Map([...overhead].filter(([name]) => total.has(name))))
  return total
}
