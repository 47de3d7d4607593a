/** What is made in a namespace needs one that exists and is not going (Kubernetes's NamespaceLifecycle admission). */

import { failure, forbidden, notFound, type Status, type Subject } from '#cluster/api/status.ts'
import type { Compare } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry, Resource } from '../registry.ts'
import { storeKey } from '../storage/keys.ts'

const terminating = (subject: Subject, namespace: string): Status => {
  const resource = subject.group === '' ? subject.resource : `${subject.resource}.${subject.group}`
  return failure(
    403,
    'Forbidden',
    `${resource} "${subject.name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      name: subject.name,
      ...(subject.group ? { group: subject.group } : {}),
      kind: subject.resource,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  )
}

/**
 * The comparison that keeps the namespace as it was seen until the write is done, so that nothing is made in a
 * namespace that was emptied meanwhile.
 */
export const checkNamespace = (
  registry: Registry,
  resource: Resource,
  namespace: string | undefined,
  subject: Subject,
): Result<readonly Compare[], Status> => {
  const namespaces = registry.namespaces
  if (!resource.kind.namespaced || namespace === undefined || !namespaces) return accepted([])
  const found = namespaces.cache.get(namespace)
  if (!found) {
    return refused(notFound({ group: '', resource: 'namespaces', kind: 'Namespace', name: namespace }))
  }
  if (found.object.metadata.deletionTimestamp !== undefined) return refused(terminating(subject, namespace))
  return accepted([{ key: storeKey(namespaces.kind, undefined, namespace), modRevision: found.revision }])
}

/** The namespaces that no cluster does without. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

/** The refusal of a deletion that the cluster would not survive; undefined for any other. */
export const checkMortal = (registry: Registry, resource: Resource, subject: Subject): Status | undefined =>
  resource === registry.namespaces && IMMORTAL.has(subject.name)
    ? forbidden(subject, 'this namespace may not be deleted')
    : undefined
