/**
 * The record that a node port is taken. Kubernetes keeps all of them in one bitmap object, where every two writers
 * meet; here each port is a key of its own, made and removed in the transaction of the Service that holds it, so two
 * apiservers meet only over the same port, and one of them is told to choose again. Nothing serves these objects.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'

export const nodePortRecord: Kind = {
  group: 'internal.seamark',
  version: 'v1',
  kind: 'NodePort',
  resource: 'nodeports',
  singular: 'nodeport',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'internal.seamark/v1.NodePort',
  hasStatus: false,
  countsGenerations: false,
  columns: [],
}

export const nodePortObject = (port: number, { metadata }: ApiObject): ApiObject => ({
  apiVersion: 'internal.seamark/v1',
  kind: nodePortRecord.kind,
  metadata: { name: String(port) },
  spec: { service: { namespace: metadata.namespace, name: metadata.name } },
})

export const holdsNodePort = (record: ApiObject, { metadata }: ApiObject): boolean => {
  const { service } = record.spec as { service: { namespace?: string; name?: string } }
  return service.namespace === metadata.namespace && service.name === metadata.name
}
