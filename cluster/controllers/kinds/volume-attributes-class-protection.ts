/** A VolumeAttributesClass stays until no volume and no claim has it, wants it or is on the way to it (KEP-3751). */
import type { CreateController } from '../controller.ts'
import { protect } from '../in-use-protection.ts'
import { persistentVolumeClaims, persistentVolumes, type VolumeView, volumeAttributesClasses } from '../views.ts'

export const volumeAttributesClassProtectionController: CreateController = environment => {
  const users = [environment.informer(persistentVolumes), environment.informer(persistentVolumeClaims)]
  return protect(environment, {
    name: 'volume-attributes-class-protection',
    view: volumeAttributesClasses,
    finalizer: 'kubernetes.io/vac-protection',
    watchUsers(wake) {
      for (const informer of users)
        informer.subscribe(change => {
          if (change.type !== 'added') for (const name of change.previous.classes) wake(name)
        })
    },
    use({ metadata: { name = '' } }) {
      const isUser = ([, { classes }]: readonly [string, VolumeView]) => classes.includes(name)
      return users.some(informer => [...informer.entries()].some(isUser)) ? 'used' : 'free'
    },
  })
}
