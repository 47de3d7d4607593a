/** Where objects that make Pods say what those are. */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { partAt } from './pod-parts.ts'

const IN_SPEC = ['spec', 'template']

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': IN_SPEC,
  'apps/replicasets': IN_SPEC,
  'apps/deployments': IN_SPEC,
  'apps/daemonsets': IN_SPEC,
  'apps/statefulsets': IN_SPEC,
  'batch/jobs': IN_SPEC,
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
}

/** Undefined: the kind makes no Pods, or the object says nothing of them. */
export const podTemplateOf = ({ group, resource }: Kind, object: ApiObject) => {
  const key = `${group}/${resource}`
  const template = Object.hasOwn(TEMPLATES, key) ? partAt(object, ...TEMPLATES[key]!) : {}
  if (!isObject(template.spec)) return undefined
  return { spec: template.spec, annotations: partAt(template, 'metadata', 'annotations') as Record<string, string> }
}
