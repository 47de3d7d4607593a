/** What the cluster's zones have to say of a question, before a plugin makes a verdict of it. */
import type { Answer } from '../verdict.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { notReady } from './negative.ts'
import type { PresentNode } from './node.ts'

/** `missing`: the name does not exist, for certain; the answer says so. */
export interface ZoneAnswer {
  readonly outcome: 'answered' | 'missing'
  readonly answer: Answer
  /** Whether it was made of the name's own node alone: zoneTerms holds for it. */
  readonly own?: true
  /** Whether it says that something does not exist which the apiserver may be told to make. */
  readonly absence?: true
}

export const answeredWith = (answer: Answer): ZoneAnswer => ({ outcome: 'answered', answer })

/** The node has nothing of the type. */
export const without = ({ growing }: PresentNode, { synced }: ClusterIndex, noData: Answer): ZoneAnswer => {
  if (!growing) return answeredWith(noData)
  return synced ? { ...answeredWith(noData), absence: true } : answeredWith(notReady())
}
