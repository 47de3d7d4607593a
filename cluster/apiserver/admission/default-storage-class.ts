/** A claim that names no StorageClass is for the default one. */
import { storageClassKind } from '#cluster/api/kinds/storage-class.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { defaultClass } from '../default-class.ts'
import type { Cacher } from '../storage/cacher.ts'

const MARKS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
/** Of before the field. */
const OLD_NAME = 'volume.beta.kubernetes.io/storage-class'

export const createDefaultStorageClass = (cacher: Cacher): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  admit({ verb, kind, subresource, object }) {
    const isClaim = kind.group === '' && kind.resource === 'persistentvolumeclaims'
    if (!isClaim || verb !== 'create' || subresource !== '' || !isObject(object.spec)) return undefined
    // An empty name is a name: that of no class.
    if (object.spec.storageClassName !== undefined || object.metadata.annotations?.[OLD_NAME] !== undefined)
      return undefined
    const name = defaultClass(cacher, storageClassKind, MARKS)
    if (name !== undefined) object.spec.storageClassName = name
    return undefined
  },
})
