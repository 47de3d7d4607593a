/** Every namespace has a ConfigMap `kube-root-ca.crt`, by which its pods know the apiserver's certificate. */
import { isAlreadyExists, isNotFound } from '#watcher/api-status-error.ts'
import { objectKey } from '#watcher/informer.ts'
import type { CreateController } from '../controller.ts'
import { configMaps, namespaces, ROOT_CA, ROOT_CA_KEY } from '../views.ts'

const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

export const rootCaPublisher: CreateController = environment => {
  const spaces = environment.informer(namespaces)
  const maps = environment.informer(configMaps)
  const { client, authority } = environment
  const desired = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: ROOT_CA, annotations: { 'kubernetes.io/description': DESCRIPTION } },
    data: { [ROOT_CA_KEY]: authority },
  })
  return {
    name: 'root-ca-publisher',
    watch(wake) {
      spaces.subscribe(({ key, type }) => type !== 'deleted' && wake(key))
      maps.subscribe(change => {
        const map = change.type === 'deleted' ? change.previous : change.object
        if (map.name === ROOT_CA) wake(map.namespace)
      })
    },
    async reconcile(namespace, signal) {
      const space = spaces.get(namespace)
      if (authority === undefined || !space || space.deleting) return 'settled'
      const current = maps.get(objectKey(namespace, ROOT_CA))
      if (current?.authority === authority) return 'settled'
      const wanted = desired(namespace)
      try {
        if (current) await client.update(configMaps.resource, wanted, { signal })
        else await client.create(configMaps.resource, wanted, { signal })
      } catch (error) {
        // The informer lags: its next event wakes this again.
        if (!isAlreadyExists(error) && !isNotFound(error)) throw error
      }
      return 'settled'
    },
  }
}
