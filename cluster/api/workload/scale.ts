/** How `/scale` reads and writes a kind's objects, where their numbers stand in the usual places. */
import type { ScalePart } from '../kind.ts'
import { type LabelSelector, selectorString } from '../label-selector.ts'
import type { ApiObject } from '../object.ts'

const numberIn = (part: unknown): number => (part as { replicas?: number } | undefined)?.replicas ?? 0

/** spec.replicas, status.replicas; the selector is a LabelSelector unless `selector` says otherwise. */
export const usualScale = (
  selector: (object: ApiObject) => string = ({ spec }) =>
    selectorString((spec as { selector?: LabelSelector } | undefined)?.selector),
): ScalePart => ({
  wanted: ({ spec }) => numberIn(spec),
  observed: ({ status }) => numberIn(status),
  selector,
  want(object, replicas) {
    object.spec = { ...(object.spec as object | undefined), replicas }
  },
})
