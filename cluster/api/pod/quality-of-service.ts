/** A pod's class of service, by what its containers ask for and may take. */
import { parseQuantity } from '../quantity.ts'
import type { Container, PodSpec, ResourceRequirements } from './pod.ts'

export type QualityOfService = 'Guaranteed' | 'Burstable' | 'BestEffort'

const COUNTED = ['cpu', 'memory'] as const

const amount = (list: Readonly<Record<string, string>> | undefined, name: string): bigint =>
  parseQuantity(list?.[name] ?? '0')?.nano ?? 0n

const asks = ({ limits, requests }: ResourceRequirements): boolean =>
  COUNTED.some(name => amount(limits, name) > 0n || amount(requests, name) > 0n)

const isGuaranteed = ({ limits, requests }: ResourceRequirements): boolean =>
  COUNTED.every(name => amount(limits, name) > 0n && amount(limits, name) === amount(requests, name))

export const qualityOfService = ({ containers = [], initContainers = [], resources }: PodSpec): QualityOfService => {
  const all: ResourceRequirements[] =
    resources && asks(resources)
      ? [resources]
      : [...containers, ...initContainers].map((container: Container) => container.resources ?? {})
  if (!all.some(asks)) return 'BestEffort'
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}
