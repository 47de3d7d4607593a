/**
 * What a `kubernetes` zone's data says of a name, for people: the objects that it is made of, why there is nothing, and
 * what to do about it. Reads what is there; the answer itself is `resolver/zone/`'s.
 */
import { unpackEndpoints } from '#watcher/packed-endpoints.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { suggestion } from '../corefile/nearest.ts'
import { splitLabels } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import type { ClusterIndex } from '../zone/cluster-index.ts'
import type { ClusterZones } from '../zone/cluster-zones.ts'
import { type NamedRequest, parseRequest } from '../zone/names.ts'
import { externalTarget, type ServiceEntry } from '../zone/service-entry.ts'
import type { Zone, ZoneSettings } from '../zone/settings.ts'

/** An object that the answer is, or would be, made of. */
export interface UsedObject {
  readonly kind: 'Service' | 'EndpointSlice'
  readonly namespace: string
  readonly name: string
  /** `''`: the API gave none. */
  readonly resourceVersion: string
  /** What of it matters here. */
  readonly detail: string
}

export interface ClusterFacts {
  readonly zone: DnsName
  /** What the name has the form of: `service`, `endpoint`, `pod` …; `nowhere`: of nothing. */
  readonly form: NamedRequest['at']
  /** Whether the first lists are complete. */
  readonly synced: boolean
  readonly objects: readonly UsedObject[]
  /** Why there is nothing; `''`: there is something, or it is not the cluster's to say. */
  readonly cause: string
  /** What to do about it. */
  readonly next: readonly string[]
}

interface Finding {
  readonly objects?: readonly UsedObject[]
  readonly cause?: string
  readonly next?: readonly string[]
}

type ServiceRequest = Extract<NamedRequest, { service: string }>

/** Undefined: the name lies in none of the zones. */
export const clusterFacts = (zones: ClusterZones, name: DnsName): ClusterFacts | undefined => {
  const zone = zones.findZone(name)
  if (!zone) return undefined
  const { index, settings, catchUp } = zones.options
  const request = parseRequest(name, zone)
  const { objects = [], cause = '', next = [] } = find({ index, settings, zone, name }, request)
  if (index.synced) {
    const mayBeNew = cause !== '' && catchUp?.isCaughtUp === false
    return {
      zone: zone.name,
      form: request.at,
      synced: true,
      objects,
      cause,
      next: mayBeNew ? [...next, OUT_OF_TOUCH] : next,
    }
  }
  return {
    zone: zone.name,
    form: request.at,
    synced: false,
    objects,
    cause: 'the lists of the cluster are not complete yet, so nothing can be said not to exist',
    next: ['look at /ready and at the log of the DNS server: it names the list that is missing and why'],
  }
}

const OUT_OF_TOUCH =
  'a watch is down, and what was made since is not known here: look at seamark_data_age_seconds and at the log of the DNS server'

interface Place {
  readonly index: ClusterIndex
  readonly settings: ZoneSettings
  readonly zone: Zone
  readonly name: DnsName
}

const find = (place: Place, request: NamedRequest): Finding => {
  const { index, settings, zone } = place
  switch (request.at) {
    case 'nowhere':
      return zone.kind === 'reverse' ? {} : formless(place)
    case 'namespace':
      return index.hasNamespace(request.namespace) ? {} : missingNamespace(place, request.namespace)
    case 'pod':
      if (settings.pods === 'disabled')
        return {
          cause: 'names of pods are turned off',
          next: ['write "pods insecure" or "pods verified" in the Corefile'],
        }
      return index.hasNamespace(request.namespace) ? {} : missingNamespace(place, request.namespace)
    case 'address':
      return addressOwners(index, request.key)
    default:
      return 'service' in request ? findService(place, request) : {}
  }
}

const formless = (place: Place): Finding => ({
  cause: `no name of the zone ${place.zone.name} has this form`,
  next: [`names are SERVICE.NAMESPACE.svc.${place.zone.name}`, ...searchHint(place, '')],
})

/** Where the name reads like one from outside with a search domain behind it. `suffix`: of the search domain, below the zone. */
const searchHint = ({ name, zone }: Place, suffix: string): string[] => {
  const tail = `.${suffix}${zone.name}`
  if (!name.endsWith(tail)) return []
  const outside = name.slice(0, -tail.length)
  if (splitLabels(`${outside}.`).length < 2) return []
  return [
    `if "${outside}" is a name outside of the cluster, this is a candidate of the client's search list (ndots): ask "${outside}.", or set ndots to ${splitLabels(`${outside}.`).length - 1} in its dnsConfig`,
  ]
}

const missingNamespace = (place: Place, namespace: string): Finding => {
  const { index, settings } = place
  const known = new Set(index.snapshot('services').map(entry => entry.namespace))
  const restricted = settings.namespaces !== undefined && !settings.namespaces.has(namespace)
  const near = suggestion(namespace, known)
  return {
    cause: `namespace "${namespace}" does not exist, or is not served${near}`,
    next: [
      `kubectl get namespace ${namespace}`,
      ...(restricted ? ['the Corefile limits the namespaces that are served ("namespaces")'] : []),
      ...searchHint(place, 'svc.'),
    ],
  }
}

const findService = (place: Place, request: ServiceRequest): Finding => {
  const { index, settings, zone } = place
  const { namespace, service: name } = request
  if (!index.hasNamespace(namespace)) return missingNamespace(place, namespace)
  const isImport = zone.kind === 'clusterset'
  const entry = isImport ? index.importedService(namespace, name) : index.service(namespace, name)
  if (!entry?.service) return missingService(place, request)
  const objects = objectsOf(entry)
  switch (entry.form(settings.ignoreEmptyService)) {
    case 'absent':
      return { objects, ...absence(entry) }
    case 'external-name':
      if (request.at === 'service') return { objects }
      return { objects, cause: `service "${namespace}/${name}" is an ExternalName: it has no names below it` }
    default:
      return { objects, ...below(index, entry, request) }
  }
}

const missingService = (place: Place, { namespace, service: name }: ServiceRequest): Finding => {
  const { index, zone } = place
  const all = index.snapshot(zone.kind === 'clusterset' ? 'imports' : 'services')
  const here = all.filter(entry => entry.namespace === namespace).map(entry => entry.name)
  const elsewhere = all.filter(entry => entry.name === name).map(entry => `${entry.name}.${entry.namespace}`)
  return {
    cause: `namespace "${namespace}" has no service "${name}"${suggestion(name, here)}`,
    next: [
      ...(elsewhere.length > 0 ? [`other namespaces have one: ${elsewhere.slice(0, 5).join(', ')}`] : []),
      `kubectl get services -n ${namespace}`,
      ...searchHint(place, `${namespace}.svc.`),
    ],
  }
}

const absence = (entry: ServiceEntry): Finding => {
  const { namespace, name } = entry
  const service = entry.service!
  const who = `service "${namespace}/${name}" exists`
  if (service.type === 'ExternalName' && externalTarget(service) === undefined)
    return { cause: `${who}, but its externalName "${service.externalName}" is no domain name` }
  if (!service.headless && service.clusterIPs.length === 0)
    return { cause: `${who}, but has no cluster IP yet`, next: [`kubectl describe service ${name} -n ${namespace}`] }
  const endpoints = entry.slices.flatMap(slice => [...unpackEndpoints(slice.endpoints)])
  if (endpoints.length === 0)
    return {
      cause: `${who}, but has no endpoints: no pod matches its selector`,
      next: [
        `kubectl get service ${name} -n ${namespace} -o wide   # its selector`,
        `kubectl get pods -n ${namespace} --show-labels`,
      ],
    }
  const pods = endpoints.filter(({ ready }) => !ready).map(({ podName, addresses }) => podName || addresses[0] || '?')
  return {
    cause: `${who}, but none of its ${endpoints.length} endpoints is ready: ${pods.slice(0, 5).join(', ')}`,
    next: [
      `kubectl get pods -n ${namespace}   # readiness probes`,
      'publishNotReadyAddresses: true on the service shows them all the same',
    ],
  }
}

/** Names below a service that answers. */
const below = (index: ClusterIndex, entry: ServiceEntry, request: ServiceRequest): Finding => {
  const who = `service "${entry.namespace}/${entry.name}"`
  if (request.at === 'port') {
    const ports = (entry.service?.headless ? entry.slices.flatMap(slice => slice.ports) : entry.service!.ports).filter(
      ({ name }) => name !== '',
    )
    if (ports.some(({ name, protocol }) => name === request.port && protocol === request.protocol)) return {}
    const known = [...new Set(ports.map(({ name, protocol }) => `_${name}._${protocol}`))]
    return {
      cause: `${who} has no port named "${request.port}" for ${request.protocol}`,
      next: [known.length > 0 ? `its named ports are ${known.join(', ')}` : 'none of its ports has a name'],
    }
  }
  if (request.at !== 'endpoint') return {}
  const endpoints = index.endpoints(entry)
  if (endpoints.named(request.endpoint).length > 0) return {}
  const names = endpoints.all.map(({ name }) => name)
  return {
    cause: `${who} has no ready endpoint "${request.endpoint}"${suggestion(request.endpoint, names)}`,
    next: [
      'an endpoint has its own name where its pod sets hostname and subdomain (StatefulSets do), else its address in dashes',
      `kubectl get endpointslices -n ${entry.namespace} -l kubernetes.io/service-name=${entry.name}`,
    ],
  }
}

const objectsOf = (entry: ServiceEntry): UsedObject[] => {
  const { service, slices, namespace, name } = entry
  if (!service) return []
  const { type, headless, clusterIPs, externalName, resourceVersion } = service
  const detail = headless
    ? 'headless'
    : type === 'ExternalName'
      ? `ExternalName ${externalName}`
      : clusterIPs.join(', ')
  return [{ kind: 'Service', namespace, name, resourceVersion, detail }, ...slices.map(sliceObject)]
}

const sliceObject = ({ namespace, name, resourceVersion, addressType, ...slice }: EndpointSliceView): UsedObject => {
  const endpoints = [...unpackEndpoints(slice.endpoints)]
  const ready = endpoints.filter(endpoint => endpoint.ready).length
  const detail = `${addressType}, ${ready} of ${endpoints.length} endpoints ready`
  return { kind: 'EndpointSlice', namespace, name, resourceVersion, detail }
}

const addressOwners = (index: ClusterIndex, key: string): Finding => {
  const slices = index.reverse.endpointOwners(key).flatMap(entry => entry.slicesWith(key))
  const services = index.reverse.services(key).flatMap(objectsOf)
  if (services.length > 0 || slices.length > 0) return { objects: [...services, ...slices.map(sliceObject)] }
  return {
    cause: 'no service has this address, as cluster IP or as ready endpoint',
    next: ['pods behind no service have no name in reverse'],
  }
}
