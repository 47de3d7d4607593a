/** Three namespaces, twenty Services of every type, and the slice of a headless one: what a person might apply. */
import { stringify } from 'yaml'

const service = (namespace: string, name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name, labels: { app: name } },
  spec,
})

const web = (port: number) => ({
  selector: { app: 'web' },
  ports: [
    { name: 'http', port: 80, targetPort: port },
    { name: 'metrics', port: 9090, targetPort: 'metrics' },
  ],
})
const dnsPorts = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
]

const services = [
  ...Array.from({ length: 10 }, (_, index) => service('shop', `web-${index}`, web(8000 + index))),
  service('data', 'db', { clusterIP: 'None', ports: [{ name: 'pg', port: 5432 }] }),
  service('data', 'cache', { clusterIP: 'None', selector: { app: 'cache' }, ports: [{ port: 6379 }] }),
  service('data', 'queue', { selector: { app: 'queue' }, ports: [{ port: 5672 }], sessionAffinity: 'ClientIP' }),
  service('edge', 'mail', { type: 'ExternalName', externalName: 'mail.example.org' }),
  service('edge', 'docs', { type: 'ExternalName', externalName: 'docs.example.org' }),
  service('edge', 'front', { type: 'NodePort', selector: { app: 'front' }, ports: [{ port: 80, nodePort: 30_080 }] }),
  service('edge', 'back', { type: 'NodePort', selector: { app: 'back' }, ports: [{ port: 8080 }] }),
  service('edge', 'names', { selector: { app: 'names' }, ports: dnsPorts }),
  service('edge', 'balanced', { type: 'LoadBalancer', selector: { app: 'front' }, ports: [{ port: 443 }] }),
  service('edge', 'fixed', { clusterIP: '10.96.0.77', selector: { app: 'fixed' }, ports: [{ port: 1 }] }),
]

const slice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'data', name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['192.0.2.1'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['192.0.2.2'], hostname: 'db-1', conditions: { ready: false } },
  ],
  ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
}

const namespaces = ['shop', 'data', 'edge'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))

/** YAML of 24 documents. */
export const SHOP_MANIFEST = [...namespaces, ...services, slice].map(document => stringify(document)).join('---\n')
