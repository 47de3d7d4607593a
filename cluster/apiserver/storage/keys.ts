/** Where objects lie in the store: `/registry/<resource>/<namespace>/<name>`, as in Kubernetes. */
import type { Kind } from '#cluster/api/kind.ts'

export const REGISTRY_PREFIX = '/registry/'

const storageResource = (kind: Kind): string => kind.storage?.resource ?? kind.resource

/** The folder of a kind: `/registry/services/`. */
export const kindPrefix = (kind: Kind): string => `${REGISTRY_PREFIX}${storageResource(kind)}/`

/** `NAMESPACE/NAME`, or `NAME` of a cluster's own: the key within the kind's folder. */
export const objectKey = (kind: Kind, namespace: string | undefined, name: string): string =>
  kind.namespaced ? `${namespace ?? ''}/${name}` : name

export const storeKey = (kind: Kind, namespace: string | undefined, name: string): string =>
  kindPrefix(kind) + objectKey(kind, namespace, name)

/** The folder's path of a store key, up to and with the slash behind the resource. */
export const prefixOfKey = (key: string): string => key.slice(0, key.indexOf('/', REGISTRY_PREFIX.length) + 1)
