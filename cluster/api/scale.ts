/** Scale (autoscaling/v1): how many of something there shall be, and are; served below the kinds that have it. */
import type { Kind, ScalePart } from './kind.ts'
import type { ApiObject } from './object.ts'

export interface Scale extends ApiObject {
  spec?: { replicas?: number }
}

/** Stored nowhere, and no resource of its own. */
export const scaleKind: Kind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  resource: 'scales',
  singular: 'scale',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'autoscaling/v1.Scale',
  hasStatus: true,
  countsGenerations: false,
  columns: [],
}

export const scaleOf = ({ wanted, observed, selector }: ScalePart, object: ApiObject): ApiObject => {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const chosen = selector(object)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })),
    spec: { replicas: wanted(object) },
    status: { replicas: observed(object), ...(chosen === '' ? {} : { selector: chosen }) },
  }
}
