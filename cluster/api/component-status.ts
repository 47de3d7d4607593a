/** ComponentStatus: whether a part of the cluster is well. It is looked up at each read, and stored nowhere. */
import { column } from './column.ts'
import type { Kind } from './kind.ts'
import { type ApiObject, apiVersionOf } from './object.ts'

interface Condition {
  readonly type: 'Healthy'
  readonly status: 'True' | 'False'
  readonly message?: string
  readonly error?: string
}

const conditionOf = (object: ApiObject): Condition | undefined =>
  (object as { conditions?: readonly Condition[] }).conditions?.[0]

export const componentStatusKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  categories: [],
  namespaced: false,
  type: 'core/v1.ComponentStatus',
  hasStatus: false,
  countsGenerations: false,
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    column('Status', 'Whether it is well.', object =>
      conditionOf(object)?.status === 'True' ? 'Healthy' : 'Unhealthy',
    ),
    column('Message', 'What it says of itself.', object => conditionOf(object)?.message ?? ''),
    column('Error', 'Why it is not well.', object => conditionOf(object)?.error ?? ''),
  ],
}

/** `problem`: what is wrong; undefined: nothing. */
export const componentStatus = (name: string, problem: string | undefined): ApiObject => {
  const condition: Condition =
    problem === undefined
      ? { type: 'Healthy', status: 'True', message: 'ok' }
      : { type: 'Healthy', status: 'False', error: problem }
  return {
    kind: componentStatusKind.kind,
    apiVersion: apiVersionOf(componentStatusKind),
    metadata: { name },
    conditions: [condition],
  } as ApiObject
}
