/** What a PersistentVolume's own source names: the Secrets by which a node mounts it. */
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'

export interface ObjectName {
  readonly namespace: string
  readonly name: string
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const nameOf = (reference: unknown, home: string): readonly ObjectName[] => {
  if (!isObject(reference) || textOf(reference.name) === '') return []
  return [{ namespace: textOf(reference.namespace) || home, name: textOf(reference.name) }]
}

/** The claim that has it; undefined: nobody's. */
export const claimOf = ({ spec }: ApiObject): ObjectName | undefined =>
  isObject(spec) ? nameOf(spec.claimRef, '')[0] : undefined

/** Fields that name a Secret for the node; those of CSI's controllers (`controllerPublishSecretRef`) are no node's to read. */
const NODE_SECRETS = ['secretRef', 'nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef']

/** In the namespace of its claim where the reference names none. */
export const volumeSecrets = (volume: ApiObject): readonly ObjectName[] => {
  const home = claimOf(volume)?.namespace ?? ''
  const sources = isObject(volume.spec) ? Object.values(volume.spec).filter(isObject) : []
  return sources.flatMap(source => [
    // AzureFile names its Secret by two fields.
    ...nameOf({ name: source.secretName, namespace: source.secretNamespace }, home),
    ...NODE_SECRETS.flatMap(field => nameOf(source[field], home)),
  ])
}
