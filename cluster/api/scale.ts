/** Scale (autoscaling/v1): how many of something there shall be, and are; served below the kinds that have it. */
import { ageColumn, integerColumn } from './column.ts'
import type { Kind, ScalePart } from './kind.ts'
import type { ApiObject } from './object.ts'

export interface Scale extends ApiObject {
  spec?: { replicas?: number }
  status?: { replicas?: number }
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
  columns: [
    integerColumn('Desired', 'How many there shall be.', ({ spec }: Scale) => spec?.replicas ?? 0),
    integerColumn('Available', 'How many there are.', ({ status }: Scale) => status?.replicas ?? 0),
    ageColumn,
  ],
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
