/** Every namespace has a ServiceAccount `default`, which its pods are unless they say otherwise. */
import { isAlreadyExists } from '#watcher/api-status-error.ts'
import { objectKey } from '#watcher/informer.ts'
import type { CreateController } from '../controller.ts'
import { namespaces, serviceAccounts } from '../views.ts'

const NAME = 'default'

export const serviceAccountController: CreateController = environment => {
  const spaces = environment.informer(namespaces)
  const accounts = environment.informer(serviceAccounts)
  return {
    name: 'service-account',
    watch(wake) {
      spaces.subscribe(({ key, type }) => type !== 'deleted' && wake(key))
      accounts.subscribe(({ type, ...change }) => {
        if (type === 'deleted' && 'previous' in change && change.previous.name === NAME) wake(change.previous.namespace)
      })
    },
    async reconcile(namespace, signal) {
      const space = spaces.get(namespace)
      if (!space || space.deleting || accounts.get(objectKey(namespace, NAME))) return 'settled'
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: NAME } }
      try {
        await environment.client.create(serviceAccounts.resource, account, { signal })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      return 'settled'
    },
  }
}
