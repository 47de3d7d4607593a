/** HorizontalPodAutoscaler (autoscaling/v1): the older shape, which knows of the processor alone, over the same objects. */
import { autoscalerColumns } from '../autoscaling/columns.ts'
import { applyOldDefaults, fromV2, toV2 } from '../autoscaling/conversion.ts'
import { validateAutoscaler, validateAutoscalerStatus } from '../autoscaling/validation.ts'
import type { Kind } from '../kind.ts'

export const horizontalPodAutoscalerV1Kind: Kind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  type: 'autoscaling/v1.HorizontalPodAutoscaler',
  hasStatus: true,
  countsGenerations: false,
  storage: { group: 'autoscaling', resource: 'horizontalpodautoscalers', toStored: toV2, fromStored: fromV2 },
  applyDefaults: applyOldDefaults,
  prepareForCreate(object) {
    object.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
  validate: object => validateAutoscaler(toV2(object)),
  validateStatusUpdate: validateAutoscalerStatus,
  columns: autoscalerColumns(toV2),
}
