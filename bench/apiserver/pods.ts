/** The Pods of the apiserver's cases: of the size and kind that a Deployment's are. */

import { join } from 'node:path'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { managedFieldsAfterUpdate } from '#cluster/apiserver/apply/field-manager.ts'
import { storeKey } from '#cluster/apiserver/storage/keys.ts'
import { encodeStored } from '#cluster/apiserver/storage/stored-object.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { kindOf } from '../cluster.ts'

export const PODS = '/api/v1/namespaces/default/pods'

/** As a client sends it. */
export const podBody = (metadata: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { labels: { app: 'web', 'pod-template-hash': '7d4b9c6f5' }, ...metadata },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'registry.example/team/web:1.2.3',
        ports: [{ containerPort: 8080, name: 'http', protocol: 'TCP' }],
        env: [
          { name: 'MODE', value: 'production' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
      },
    ],
    restartPolicy: 'Always',
    nodeName: 'node-1',
  },
})

/** As the apiserver stores it. */
const storedPod = (kind: Kind, index: number): ApiObject => {
  const uid = `6b048acf-5489-4ab6-8525-${index.toString(16).padStart(12, '0')}`
  const metadata = { name: `web-${index}`, namespace: 'default', uid, creationTimestamp: '2026-01-01T00:00:00Z' }
  const object = podBody(metadata) as unknown as ApiObject
  kind.applyDefaults?.(object)
  const write = { kind, versions: [kind], subresource: undefined, manager: 'bench', time: '2026-01-01T00:00:00Z' }
  const managedFields = managedFieldsAfterUpdate(write, undefined, object)
  if (managedFields) object.metadata.managedFields = managedFields
  return encodeObject(object, kind.type)
}

/** Writes under way at one time. */
const WAVE = 1_000

/** Fills the store of an apiserver's folder, which is not running, with so many Pods, each by a write of its own. */
export const storePods = async (folder: string, count: number): Promise<void> => {
  const directory = join(folder, 'store')
  const store = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
  const kind = kindOf('Pod')
  const put = (index: number): Promise<unknown> => {
    const object = storedPod(kind, index)
    const { namespace, name = '' } = object.metadata
    const operation = { type: 'put', key: storeKey(kind, namespace, name), value: encodeStored(kind, object) } as const
    return store.transact({ compare: [], operations: [operation] })
  }
  for (let first = 0; first < count; first += WAVE)
    await Promise.all(Array.from({ length: Math.min(WAVE, count - first) }, (_, place) => put(first + place)))
  await store.close()
}
