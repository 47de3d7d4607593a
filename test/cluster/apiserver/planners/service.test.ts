import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { endpointsKind as endpoints } from '#cluster/api/kinds/endpoints.ts'
import { ipAddressKind as ipAddress } from '#cluster/api/kinds/ip-address.ts'
import { serviceKind as service } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind as serviceCidr } from '#cluster/api/kinds/service-cidr.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { chooseAddress, parseRange } from '#cluster/apiserver/allocation/address-range.ts'
import { nodePortRecord } from '#cluster/apiserver/allocation/node-port-record.ts'
import { createServicePlanner } from '#cluster/apiserver/planners/service.ts'
import { systemRandom } from '#lib/random.ts'
import { MemoryApiserver, MemoryStore } from './memory-store.ts'

const planner = createServicePlanner({ random: systemRandom, nodePorts: { first: 30_000, last: 32_767 } })

const cidr = (name: string, ...cidrs: string[]): ApiObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs },
})

const aService = (name: string, spec: ServiceSpec): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name },
  spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
})

const cluster = (...cidrs: string[]) => {
  const store = new MemoryStore()
  if (cidrs.length > 0) store.put(serviceCidr, cidr('kubernetes', ...cidrs))
  return { store, server: new MemoryApiserver(store, planner) }
}

type Cluster = ReturnType<typeof cluster>

const create = ({ server }: Cluster, name: string, spec: ServiceSpec = {}) =>
  server.write({ verb: 'create', object: aService(name, spec) })

const created = (t: ExecutionContext, at: Cluster, name: string, spec: ServiceSpec = {}): ServiceSpec => {
  const result = create(at, name, spec)
  if (!result.ok) return t.fail(result.problem.message) as never
  return result.value.spec as ServiceSpec
}

const updated = (t: ExecutionContext, at: Cluster, name: string, spec: ServiceSpec): ServiceSpec => {
  const result = at.server.write({ verb: 'update', object: aService(name, spec) })
  if (!result.ok) return t.fail(result.problem.message) as never
  return result.value.spec as ServiceSpec
}

const problem = (t: ExecutionContext, result: ReturnType<typeof create>) => {
  if (result.ok) return t.fail('it was not refused') as never
  const { code, message, details } = result.problem
  return { code, message, fields: details?.causes?.map(cause => cause.field) }
}

test('a Service gets an address above the low 256, with the IPAddress object that Kubernetes makes', t => {
  const at = cluster('10.96.0.0/12')
  const spec = created(t, at, 'web')
  t.deepEqual(spec.clusterIPs, [spec.clusterIP!])
  t.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy], [['IPv4'], 'SingleStack'])
  const [a, b, c, d] = spec.clusterIP!.split('.').map(Number)
  const offset = ((a! * 256 + b!) * 256 + c!) * 256 + d! - (10 * 256 + 96) * 65_536
  t.true(offset > 256 && offset < 2 ** 20 - 1, spec.clusterIP)
  t.deepEqual(at.store.entries.get(`ipaddresses//${spec.clusterIP}`)?.object, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: spec.clusterIP!,
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'web' } },
  })
})

test('a requested address is had once; outside the range, the network and broadcast addresses never', t => {
  const at = cluster('10.96.0.0/24')
  t.deepEqual(created(t, at, 'dns', { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] }).clusterIPs, ['10.96.0.10'])
  t.deepEqual(problem(t, create(at, 'second', { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] })), {
    code: 422,
    message:
      'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    fields: ['spec.clusterIPs'],
  })
  for (const address of ['10.96.0.0', '10.96.0.255', '10.97.0.1'])
    t.is(
      problem(t, create(at, 'odd', { clusterIP: address, clusterIPs: [address] })).message,
      `Service "odd" is invalid: spec.clusterIPs: Invalid value: ["${address}"]: failed to allocate IP ${address}: the provided network does not match the current range`,
    )
  t.deepEqual(at.store.names(service), ['dns'])
  t.deepEqual(at.store.names(ipAddress), ['10.96.0.10'])
})

test('a /28 gives its 14 addresses, then is full until one comes back', t => {
  const at = cluster('10.0.0.0/28')
  const given = Array.from({ length: 14 }, (_, index) => created(t, at, `s${index}`).clusterIP!)
  t.is(new Set(given).size, 14)
  t.false(given.includes('10.0.0.0') || given.includes('10.0.0.15'))
  t.deepEqual(problem(t, create(at, 'late')), {
    code: 500,
    message: 'Internal error occurred: failed to allocate a serviceIP: range is full',
    fields: undefined,
  })
  t.true(at.server.write({ verb: 'delete', object: at.store.entries.get('services/default/s3')!.object }).ok)
  t.is(created(t, at, 'late').clusterIP, given[3])
})

test('the low band is used when the rest is full, and another ServiceCIDR when both are', t => {
  const at = cluster('10.0.0.0/27')
  // /27: 30 addresses, the low 16 are .1 to .16.
  const given = Array.from({ length: 30 }, (_, index) => Number(created(t, at, `s${index}`).clusterIP!.split('.')[3]))
  t.true(given.slice(0, 14).every(last => last > 16))
  t.true(given.slice(14).every(last => last <= 16))
  t.is(problem(t, create(at, 'more')).code, 500)
  at.store.put(serviceCidr, cidr('second', '10.9.0.0/24'))
  at.server.catchUp()
  t.regex(created(t, at, 'more').clusterIP!, /^10\.9\.0\./)
  at.store.put(serviceCidr, {
    ...cidr('second', '10.9.0.0/24'),
    status: { conditions: [{ type: 'Ready', status: 'False' }] },
  })
  at.server.catchUp()
  t.is(problem(t, create(at, 'still more')).code, 500)
  const object = aService('more', { ...(at.store.entries.get('services/default/more')?.object.spec as ServiceSpec) })
  t.true(at.server.write({ verb: 'update', object }).ok, 'what has its address stays writable')
})

test('headless and ExternalName Services hold nothing', t => {
  const at = cluster('10.96.0.0/12')
  const headless = created(t, at, 'db', { clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'db' } })
  t.deepEqual([headless.clusterIPs, headless.ipFamilies, headless.ipFamilyPolicy], [['None'], ['IPv4'], 'SingleStack'])
  const free = created(t, at, 'free', { clusterIP: 'None', clusterIPs: ['None'] })
  t.deepEqual([free.ipFamilies, free.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack'])
  const alias = created(t, at, 'alias', { type: 'ExternalName', ports: [] })
  t.deepEqual([alias.clusterIP, alias.ipFamilies, alias.ipFamilyPolicy], [undefined, undefined, undefined])
  t.deepEqual(at.store.names(ipAddress), [])
})

const STATES: Record<string, ServiceSpec> = {
  ClusterIP: { type: 'ClusterIP' },
  NodePort: { type: 'NodePort' },
  LoadBalancer: { type: 'LoadBalancer' },
  'LoadBalancer Local': { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
  'LoadBalancer without ports': { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
  ExternalName: { type: 'ExternalName' },
}
const EXPECTED: Record<string, readonly [addresses: number, ports: number]> = {
  ClusterIP: [1, 0],
  NodePort: [1, 1],
  LoadBalancer: [1, 1],
  'LoadBalancer Local': [1, 2],
  'LoadBalancer without ports': [1, 0],
  ExternalName: [0, 0],
}

for (const [from, before] of Object.entries(STATES))
  for (const [to, after] of Object.entries(STATES))
    test(`${from} becomes ${to}: exactly what the new type needs is held`, t => {
      const at = cluster('10.96.0.0/12')
      const first = created(t, at, 's', structuredClone(before))
      t.deepEqual([at.store.names(ipAddress).length, at.store.names(nodePortRecord).length], [...EXPECTED[from]!])
      const spec: ServiceSpec = structuredClone(after)
      // As prepareForUpdate leaves it: what both types hold is carried over.
      if (before.type !== 'ExternalName' && after.type !== 'ExternalName') {
        spec.clusterIP = first.clusterIP!
        spec.clusterIPs = first.clusterIPs!
      }
      const last = updated(t, at, 's', spec)
      t.deepEqual([at.store.names(ipAddress).length, at.store.names(nodePortRecord).length], [...EXPECTED[to]!])
      if (spec.clusterIP) t.is(last.clusterIP, first.clusterIP)
      t.deepEqual(at.store.names(ipAddress), last.type === 'ExternalName' ? [] : last.clusterIPs)
      t.true(at.server.write({ verb: 'delete', object: aService('s', last) }).ok)
      t.deepEqual([...at.store.entries.keys()], ['servicecidrs//kubernetes'])
    })

test('node ports: one number for one Service; TCP and UDP of one Service share it', t => {
  const at = cluster('10.96.0.0/12')
  const udp = { name: 'dns', port: 53, protocol: 'UDP' }
  const tcp = { name: 'dns-tcp', port: 53, protocol: 'TCP' }
  const dns = created(t, at, 'dns', { type: 'NodePort', ports: [{ ...udp, nodePort: 30_053 }, tcp] })
  t.deepEqual(
    dns.ports!.map(port => port.nodePort),
    [30_053, 30_053],
  )
  t.deepEqual(at.store.names(nodePortRecord), ['30053'])
  t.deepEqual(problem(t, create(at, 'other', { type: 'NodePort', ports: [tcp, { port: 80, nodePort: 30_053 }] })), {
    code: 422,
    message:
      'Service "other" is invalid: spec.ports[1].nodePort: Invalid value: 30053: provided port is already allocated',
    fields: ['spec.ports[1].nodePort'],
  })
  t.regex(
    problem(t, create(at, 'far', { type: 'NodePort', ports: [{ port: 80, nodePort: 8080 }] })).message!,
    /provided port is not in the valid range\. The range of valid ports is 30000-32767$/,
  )
  t.deepEqual(at.store.names(nodePortRecord), ['30053'])
  const kept = updated(t, at, 'dns', {
    ...dns,
    ports: [
      { ...udp, nodePort: 30_054 },
      { ...tcp, nodePort: 30_053 },
    ],
  })
  t.deepEqual(
    kept.ports!.map(port => port.nodePort),
    [30_054, 30_053],
  )
  updated(t, at, 'dns', { ...dns, ports: [{ ...udp, nodePort: 30_054 }] })
  t.deepEqual(at.store.names(nodePortRecord), ['30054'])
})

test('all 2,768 node ports can be given, the low 86 last, then none is left', t => {
  const at = cluster('10.96.0.0/12')
  const ports = (count: number) => Array.from({ length: count }, (_, index) => ({ port: index + 1, protocol: 'TCP' }))
  const given = Array.from({ length: 4 }, (_, index) =>
    created(t, at, `s${index}`, { type: 'NodePort', ports: ports(692) }).ports!.map(port => port.nodePort!),
  ).flat()
  t.is(new Set(given).size, 2768)
  t.true(given.slice(0, 2768 - 86).every(port => port >= 30_086))
  t.is(
    problem(t, create(at, 'late', { type: 'NodePort' })).message,
    'Internal error occurred: failed to allocate a nodePort: range is full',
  )
})

test('externalTrafficPolicy Local of a LoadBalancer takes a health check port, as asked or chosen', t => {
  const at = cluster('10.96.0.0/12')
  const local: ServiceSpec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }
  t.is(created(t, at, 'a', { ...local, healthCheckNodePort: 32_000 }).healthCheckNodePort, 32_000)
  t.is(
    problem(t, create(at, 'b', { ...local, healthCheckNodePort: 32_000 })).message,
    'Internal error occurred: failed to allocate requested HealthCheck NodePort 32000: provided port is already allocated',
  )
  const chosen = created(t, at, 'c', local)
  t.not(chosen.healthCheckNodePort, chosen.ports![0]!.nodePort)
})

test('dual-stack: families, policies and addresses follow one another', t => {
  const at = cluster('10.96.0.0/12', 'fd00:10:96::/108')
  t.deepEqual(created(t, at, 'single').ipFamilies, ['IPv4'])
  const preferred = created(t, at, 'preferred', { ipFamilyPolicy: 'PreferDualStack' })
  t.deepEqual(preferred.ipFamilies, ['IPv4', 'IPv6'])
  t.regex(preferred.clusterIPs![1]!, /^fd00:10:96::[0-9a-f:]+$/)
  const six = created(t, at, 'six', { ipFamilies: ['IPv6'] })
  t.regex(six.clusterIP!, /^fd00:/)
  const asked = created(t, at, 'asked', { clusterIP: 'fd00:10:96::0:1', clusterIPs: ['fd00:10:96::0:1'] })
  t.deepEqual(asked.ipFamilies, ['IPv6'])
  t.true(at.store.names(ipAddress).includes('fd00:10:96::1'), 'the object has the canonical name')

  const single = updated(t, at, 'preferred', { ...preferred, ipFamilyPolicy: 'SingleStack' })
  t.deepEqual([single.ipFamilies, single.clusterIPs], [['IPv4'], [preferred.clusterIP!]])
  t.false(at.store.names(ipAddress).includes(preferred.clusterIPs![1]!))
  const again = updated(t, at, 'preferred', { ...single, ipFamilyPolicy: 'RequireDualStack' })
  t.is(again.clusterIPs!.length, 2)
  t.is(again.clusterIPs![0], preferred.clusterIP)

  const shrink = at.server.write({
    verb: 'update',
    object: aService('preferred', { ...again, clusterIPs: [again.clusterIPs![0]!], ipFamilies: ['IPv4'] }),
  })
  t.deepEqual(problem(t, shrink), {
    code: 422,
    message:
      'Service "preferred" is invalid: [spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary cluster IP, spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family]',
    fields: ['spec.ipFamilyPolicy', 'spec.ipFamilyPolicy'],
  })
})

test('single-stack: dual-stack and foreign families are refused; PreferDualStack is not, and stays when the cluster grows', t => {
  const at = cluster('10.96.0.0/12')
  t.deepEqual(
    problem(t, create(at, 'a', { ipFamilyPolicy: 'RequireDualStack' })).message,
    'Service "a" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  )
  t.deepEqual(problem(t, create(at, 'a', { ipFamilies: ['IPv6'] })).fields, ['spec.ipFamilies[0]'])
  t.deepEqual(problem(t, create(at, 'a', { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] })).fields, [
    'spec.clusterIPs[0]',
  ])
  t.deepEqual(problem(t, create(at, 'a', { ipFamilies: ['IPv4', 'IPv6'] })).fields, ['spec.ipFamilyPolicy'])
  const spec = created(t, at, 'a', { ipFamilyPolicy: 'PreferDualStack' })
  t.deepEqual(spec.ipFamilies, ['IPv4'])
  at.store.put(serviceCidr, cidr('six', 'fd00::/112'))
  at.server.catchUp()
  t.deepEqual(updated(t, at, 'a', { ...spec, selector: { app: 'a' } }).ipFamilies, ['IPv4'])
  t.deepEqual(updated(t, at, 'a', { ...spec, ipFamilies: ['IPv4', 'IPv6'] }).clusterIPs!.length, 2)
})

test('a dry run takes nothing', t => {
  const at = cluster('10.96.0.0/12')
  const result = at.server.write({ verb: 'create', object: aService('s', { type: 'NodePort' }), dryRun: true })
  t.true(result.ok)
  t.deepEqual([...at.store.entries.keys()], ['servicecidrs//kubernetes'])
})

test('deleting a Service takes its Endpoints along, and no address of another', t => {
  const at = cluster('10.96.0.0/12')
  const { clusterIP } = created(t, at, 's')
  const meta = { namespace: 'default', name: 's' }
  at.store.put(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata: meta })
  at.store.put(ipAddress, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: clusterIP! },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'another' } },
  })
  at.server.catchUp()
  t.true(at.server.write({ verb: 'delete', object: at.store.entries.get('services/default/s')!.object }).ok)
  t.deepEqual(at.store.names(endpoints), [])
  t.deepEqual(at.store.names(ipAddress), [clusterIP!])
})

test('among 10,000 addresses taken a create looks at one or two', t => {
  const at = cluster('10.96.0.0/12')
  const range = parseRange('10.96.0.0/12')!
  const taken = new Set<string>()
  while (taken.size < 10_000) taken.add(chooseAddress(range, systemRandom, name => taken.has(name))!)
  for (const name of taken)
    at.store.put(ipAddress, { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name } })
  at.server.catchUp()
  at.server.reads = 0
  for (let index = 0; index < 20; index++) created(t, at, `s${index}`)
  // One read each; a hundredth of them meet a neighbour and need another.
  t.true(at.server.reads < 40, `${at.server.reads} reads`)
})

test('two apiservers whose memory lags never give one address or port twice', t => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ server: fc.boolean(), remove: fc.boolean(), catchUp: fc.boolean() }), {
        minLength: 20,
        maxLength: 60,
      }),
      steps => {
        const store = new MemoryStore()
        store.put(serviceCidr, cidr('kubernetes', '10.0.0.0/28'))
        const narrow = createServicePlanner({ random: systemRandom, nodePorts: { first: 30_000, last: 30_015 } })
        const servers = [new MemoryApiserver(store, narrow), new MemoryApiserver(store, narrow)] as const
        let number = 0
        for (const step of steps) {
          const server = step.server ? servers[0] : servers[1]
          if (step.catchUp) server.catchUp()
          const existing = [...store.entries].find(([key]) => key.startsWith('services/'))
          if (step.remove && existing) {
            server.catchUp()
            server.write({ verb: 'delete', object: existing[1].object })
          } else server.write({ verb: 'create', object: aService(`s${number++}`, { type: 'NodePort' }) })
          const specs = [...store.entries]
            .filter(([key]) => key.startsWith('services/'))
            .map(([, { object }]) => object.spec as ServiceSpec)
          const addresses = specs.map(spec => spec.clusterIP!)
          const ports = specs.map(spec => String(spec.ports![0]!.nodePort))
          t.deepEqual([...addresses].sort(), store.names(ipAddress).sort())
          t.deepEqual([...ports].sort(), store.names(nodePortRecord).sort())
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('two apiservers in step on a nearly full range: the slower one chooses again', t => {
  const store = new MemoryStore()
  store.put(serviceCidr, cidr('kubernetes', '10.0.0.0/30'))
  const servers = [new MemoryApiserver(store, planner), new MemoryApiserver(store, planner)] as const
  // Two addresses; both servers see both free.
  t.true(
    servers[0].write({ verb: 'create', object: aService('a', { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }) }).ok,
  )
  const late = servers[1].write({
    verb: 'create',
    object: aService('b', { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }),
  })
  t.is(servers[1].retries, 1)
  t.is(problem(t, late).code, 422)
})
