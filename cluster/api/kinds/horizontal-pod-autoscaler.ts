/** HorizontalPodAutoscaler (autoscaling/v2): as many Pods as what is measured asks for. */
import { applyAutoscalerDefaults } from '../autoscaling/autoscaler.ts'
import { autoscalerColumns } from '../autoscaling/columns.ts'
import { validateAutoscaler, validateAutoscalerStatus } from '../autoscaling/validation.ts'
import type { Kind } from '../kind.ts'

export const horizontalPodAutoscalerKind: Kind = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  type: 'autoscaling/v2.HorizontalPodAutoscaler',
  hasStatus: true,
  countsGenerations: false,
  applyDefaults: applyAutoscalerDefaults,
  prepareForCreate(object) {
    object.status = { desiredReplicas: 0 }
  },
  validate: validateAutoscaler,
  validateStatusUpdate: validateAutoscalerStatus,
  columns: autoscalerColumns(object => object),
}
