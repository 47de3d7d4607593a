/** API objects of a large cluster as an apiserver writes them, made as they are read: no list is ever held. */
import type { ServiceEntry } from '../contender.ts'

export interface ClusterSize {
  readonly namespaces: number
  readonly services: number
  readonly endpointsEach: number
  readonly pods: number
}

/** SIG scalability's large cluster, as issue and demand name it. */
export const LARGE: ClusterSize = { namespaces: 100, services: 10_000, endpointsEach: 10, pods: 100_000 }

type Json = Readonly<Record<string, unknown>>

const MANAGED = [
  {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } }, 'f:spec': { 'f:ports': {}, 'f:selector': {} } },
  },
]

const metadata = (number: number, more: Json): Json => ({
  ...more,
  uid: `0b5c6d7e-0000-4000-8000-${String(number).padStart(12, '0')}`,
  resourceVersion: String(1000 + number),
  creationTimestamp: '2026-01-01T00:00:00Z',
  managedFields: MANAGED,
})

const address = (network: number, number: number): string =>
  `10.${network + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`

const place = (number: number, { namespaces }: ClusterSize) => ({
  namespace: `team-${number % namespaces}`,
  service: `service-${Math.floor(number / namespaces)}`,
})

/** As a ReplicaSet names them: 25 to 30 characters. */
const podName = (service: string, number: number): string =>
  `${service}-${(0x10000000 + (number % 97) * 7919).toString(16).slice(-9)}-${number.toString(36).padStart(5, 'b')}`

function* namespaces({ namespaces: count }: ClusterSize): Generator<Json> {
  yield { metadata: metadata(0, { name: 'kube-system' }) }
  for (let number = 0; number < count; number++) yield { metadata: metadata(number + 1, { name: `team-${number}` }) }
}

/** Every tenth one is headless. */
const clusterIPOf = (number: number): string => (number % 10 === 0 ? 'None' : address(96, number + 256))

/** The services that have an address, as clients ask for them. */
export const serviceEntries = (size: ClusterSize): readonly ServiceEntry[] =>
  Array.from({ length: size.services }, (_, number) => {
    const { namespace, service } = place(number, size)
    return { name: `${service}.${namespace}.svc.cluster.local.`, address: clusterIPOf(number) }
  }).filter(({ address }) => address !== 'None')

function* services(size: ClusterSize): Generator<Json> {
  for (let number = 0; number < size.services; number++) {
    const { namespace, service } = place(number, size)
    const clusterIP = clusterIPOf(number)
    yield {
      metadata: metadata(number, { name: service, namespace, labels: { app: service, team: namespace } }),
      spec: {
        type: 'ClusterIP',
        clusterIP,
        clusterIPs: [clusterIP],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
        selector: { app: service },
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
      },
      status: { loadBalancer: {} },
    }
  }
}

/** The slice of the service of this number. `unready`: the place of the endpoint that is not ready; absent: all are. */
export const endpointSlice = (number: number, size: ClusterSize, unready?: number): Json => {
  const { namespace, service } = place(number, size)
  const endpoints = Array.from({ length: size.endpointsEach }, (_, index) => {
    const pod = number * size.endpointsEach + index
    const ready = index !== unready
    return {
      addresses: [address(128, pod)],
      conditions: { ready, serving: ready, terminating: false },
      nodeName: `node-${pod % 5000}`,
      targetRef: {
        kind: 'Pod',
        namespace,
        name: podName(service, pod),
        uid: `5ac1d5b4-0000-4000-8000-${String(pod).padStart(12, '0')}`,
      },
      zone: `region-1${'abc'[pod % 3]}`,
    }
  })
  return {
    metadata: metadata(number, {
      name: `${service}-${(number + 1000).toString(36)}x`,
      namespace,
      generateName: `${service}-`,
      labels: {
        app: service,
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: service, uid: String(number), controller: true }],
    }),
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  }
}

function* endpointSlices(size: ClusterSize): Generator<Json> {
  for (let number = 0; number < size.services; number++) yield endpointSlice(number, size)
}

function* pods(size: ClusterSize): Generator<Json> {
  for (let pod = 0; pod < size.pods; pod++) yield podObject(pod, size)
}

export const podObject = (pod: number, size: ClusterSize): Json => {
  const { namespace, service } = place(Math.floor(pod / size.endpointsEach), size)
  const ip = address(128, pod)
  return {
    metadata: metadata(pod, { name: podName(service, pod), namespace, labels: { app: service, team: namespace } }),
    spec: { nodeName: `node-${pod % 5000}`, containers: [{ name: 'main', image: 'registry.example/app:1' }] },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], hostIP: address(64, pod % 5000) },
  }
}

export interface GeneratedResource {
  readonly path: string
  readonly apiVersion: string
  readonly kind: string
  readonly objects: (size: ClusterSize) => Iterable<Json>
}

export const generatedResources: readonly GeneratedResource[] = [
  { path: '/api/v1/namespaces', apiVersion: 'v1', kind: 'Namespace', objects: namespaces },
  { path: '/api/v1/services', apiVersion: 'v1', kind: 'Service', objects: services },
  { path: '/api/v1/pods', apiVersion: 'v1', kind: 'Pod', objects: pods },
  {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    objects: endpointSlices,
  },
]
