/** A cluster, as API objects for this server and as a hosts file and lines of dnsmasq.conf for dnsmasq. */
import type { Manifest } from '../support/static-cluster.ts'

interface Port {
  readonly name: string
  readonly protocol: 'TCP' | 'UDP'
  readonly port: number
}

interface Endpoint {
  readonly hostname?: string
  /** One of each family at most. */
  readonly addresses: readonly string[]
}

interface Service {
  readonly namespace: string
  readonly name: string
  /** Empty: headless. */
  readonly clusterIPs: readonly string[]
  readonly ports: readonly Port[]
  readonly endpoints: readonly Endpoint[]
}

const http: Port = { name: 'http', protocol: 'TCP', port: 80 }
const dns: readonly Port[] = [
  { name: 'dns', protocol: 'UDP', port: 53 },
  { name: 'dns-tcp', protocol: 'TCP', port: 53 },
]

const many = Array.from({ length: 25 }, (_, index) => ({
  namespace: index % 2 === 0 ? 'team-a' : 'team-b',
  name: `app-${index}`,
  clusterIPs: [`10.96.2.${index + 1}`, ...(index % 3 === 0 ? [`fd00:10:96:2::${(index + 1).toString(16)}`] : [])],
  ports: [http],
  endpoints: [],
}))

const services: readonly Service[] = [
  {
    namespace: 'default',
    name: 'kubernetes',
    clusterIPs: ['10.96.0.1'],
    ports: [{ ...http, name: 'https', port: 443 }],
    endpoints: [],
  },
  { namespace: 'kube-system', name: 'kube-dns', clusterIPs: ['10.96.0.10'], ports: dns, endpoints: [] },
  { namespace: 'shop', name: 'web', clusterIPs: ['10.96.1.1', 'fd00:10:96:1::1'], ports: [http], endpoints: [] },
  { namespace: 'shop', name: 'six', clusterIPs: ['fd00:10:96:1::6'], ports: [http], endpoints: [] },
  {
    namespace: 'shop',
    name: 'db',
    clusterIPs: [],
    ports: [],
    endpoints: [0, 1, 2].map(index => ({
      hostname: `db-${index}`,
      addresses: [`10.244.1.${index + 1}`, `fd00:10:244:1::${index + 1}`],
    })),
  },
  {
    namespace: 'shop',
    name: 'crowd',
    clusterIPs: [],
    ports: [],
    endpoints: Array.from({ length: 90 }, (_, index) => ({ addresses: [`10.244.2.${index + 1}`] })),
  },
  ...many,
]

const namespaces = [...new Set(services.map(({ namespace }) => namespace)), 'idle']

const serviceManifest = ({ namespace, name, clusterIPs, ports }: Service): Manifest => ({
  kind: 'Service',
  metadata: { namespace, name },
  spec: {
    type: 'ClusterIP',
    clusterIP: clusterIPs[0] ?? 'None',
    clusterIPs: clusterIPs.length > 0 ? clusterIPs : ['None'],
    ports,
  },
})

/** A slice has addresses of one family. */
const sliceManifests = ({ namespace, name, ports, endpoints }: Service): Manifest[] =>
  (['IPv4', 'IPv6'] as const).flatMap(addressType => {
    const ofFamily = endpoints.flatMap(({ hostname, addresses }) => {
      const own = addresses.filter(address => address.includes(':') === (addressType === 'IPv6'))
      return own.length > 0 ? [{ hostname, addresses: own, conditions: { ready: true } }] : []
    })
    if (ofFamily.length === 0) return []
    return [
      {
        kind: 'EndpointSlice',
        metadata: {
          namespace,
          name: `${name}-${addressType.toLowerCase()}`,
          labels: { 'kubernetes.io/service-name': name },
        },
        addressType,
        endpoints: ofFamily,
        ports,
      },
    ]
  })

export const manifests: readonly Manifest[] = [
  ...namespaces.map(name => ({ kind: 'Namespace', metadata: { name } })),
  ...services.flatMap(service => [serviceManifest(service), ...sliceManifests(service)]),
]

const nameOf = ({ namespace, name }: Service): string => `${name}.${namespace}.svc.cluster.local`

/** Kubernetes DNS specification §2.4.1: the endpoint's hostname, else a name made of its address. */
const endpointNames = (service: Service): (readonly [name: string, addresses: readonly string[]])[] =>
  service.endpoints.map(({ hostname, addresses }) => [
    `${hostname ?? addresses[0]!.replaceAll('.', '-')}.${nameOf(service)}`,
    addresses,
  ])

/** The first name of a line is the one that its address leads back to. */
export const hosts: readonly string[] = services.flatMap(service => [
  ...service.clusterIPs.map(address => `${address} ${nameOf(service)}`),
  ...endpointNames(service).flatMap(([name, addresses]) =>
    addresses.map(address => `${address} ${name} ${nameOf(service)}`),
  ),
])

const srvOwners = services.flatMap(service =>
  service.ports.map(({ name, protocol, port }) => ({
    owner: `_${name}._${protocol.toLowerCase()}.${nameOf(service)}`,
    target: nameOf(service),
    port,
    // As this server: a hundred, divided among the addresses that the target has.
    weight: Math.floor(100 / service.clusterIPs.length),
  })),
)

/** What no hosts file can say. */
export const dnsmasqLines: readonly string[] = [
  'local-ttl=5',
  'local=/cluster.local/',
  'local=/10.in-addr.arpa/',
  'local=/ip6.arpa/',
  ...srvOwners.map(({ owner, target, port, weight }) => `srv-host=${owner},${target},${port},0,${weight}`),
]

/** Names that exist, by what they are. */
export const names = {
  services: services.filter(({ clusterIPs }) => clusterIPs.length > 0).map(nameOf),
  headless: services.filter(({ clusterIPs }) => clusterIPs.length === 0).map(nameOf),
  endpoints: services.flatMap(service => endpointNames(service).map(([name]) => name)),
  ports: srvOwners.map(({ owner }) => owner),
  addresses: services.flatMap(({ clusterIPs, endpoints }) => [
    ...clusterIPs,
    ...endpoints.flatMap(({ addresses }) => addresses),
  ]),
}
