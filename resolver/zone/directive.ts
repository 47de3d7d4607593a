/** CoreDNS's `kubernetes` directive, read: every property that it has, by its name, default and bounds. */
import { accepted, type Result } from '#lib/result.ts'
import { DirectiveReader, type PropertyTable, type PropertyValues } from '../corefile/directive-reader.ts'
import type { CorefileProblem, Directive, Property, Word } from '../corefile/syntax.ts'
import type { BlockContext } from '../plugin.ts'
import type { DnsName } from '../wire/record.ts'
import type { ClusterNeeds } from './cluster-source.ts'
import { isReverseName, POD_MODES, type ZoneSettings } from './settings.ts'
import type { ConnectionSettings } from './watch-cluster.ts'

/** TTL of what is made from the cluster's objects, in whichever zone. */
export const ttlOption = {
  kind: 'number',
  syntax: 'SECONDS',
  default: 5,
  minimum: 0,
  maximum: 3600,
  unit: 'seconds',
  doc: 'TTL of all answers; the SOA of negative ones has at most 300',
} as const

export const kubernetesOptions = {
  endpoint: {
    kind: 'words',
    syntax: 'URL…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'the apiserver of the pod that this runs in',
    doc: 'URL of the apiserver, for servers that run outside of the cluster; of several the first, as in CoreDNS',
  },
  tls: {
    kind: 'words',
    syntax: 'CERT KEY CACERT',
    minimum: 3,
    maximum: 3,
    absent: 'no client certificate',
    doc: 'PEM files of the client certificate, its key and the authority, for `endpoint`; read again as they change',
  },
  kubeconfig: {
    kind: 'words',
    syntax: 'FILE [CONTEXT]',
    minimum: 1,
    maximum: 2,
    absent: 'no kubeconfig',
    doc: 'the way in by a kubeconfig file and, where it has several, a context; the flag `--kubeconfig` beats it',
  },
  apiserver_qps: {
    kind: 'number',
    syntax: 'N',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'requests a second',
    doc: 'accepted for CoreDNS’s sake and without effect: a watch asks once, and the client waits as long as the apiserver says (Retry-After)',
  },
  apiserver_burst: {
    kind: 'number',
    syntax: 'N',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'requests',
    doc: 'accepted and without effect, as `apiserver_qps`',
  },
  apiserver_max_inflight: {
    kind: 'number',
    syntax: 'N',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'requests',
    doc: 'accepted and without effect: there is one request in flight for each list',
  },
  namespaces: {
    kind: 'words',
    syntax: 'NAMESPACE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'all namespaces',
    doc: 'serve only these namespaces, forward and reverse; not together with `namespace_labels`',
  },
  namespace_labels: {
    kind: 'words',
    syntax: 'SELECTOR',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'all namespaces',
    doc: 'serve only the namespaces that a label selector matches, forward and reverse',
  },
  labels: {
    kind: 'words',
    syntax: 'SELECTOR',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'all objects',
    doc: 'serve only the Services and EndpointSlices that a label selector matches',
  },
  pods: {
    kind: 'choice',
    syntax: 'disabled|insecure|verified',
    choices: POD_MODES,
    default: 'disabled',
    doc: 'names of pods by address (`10-1-2-3.namespace.pod`): none, any address, or only those of live pods, which takes a watch on all pods',
  },
  endpoint_pod_names: { kind: 'flag', doc: 'name endpoints that have no hostname after their pods' },
  ttl: ttlOption,
  negative_ttl: {
    kind: 'number',
    syntax: 'SECONDS',
    default: undefined,
    minimum: 0,
    maximum: 3600,
    unit: 'seconds',
    doc: 'how long others may keep that a name or a record does not exist (the SOA’s MINIMUM, RFC 2308 §5); without it as long as `ttl` says',
  },
  serving_endpoints: {
    kind: 'flag',
    doc: 'endpoints that are shutting down and still serve (conditions `terminating` and `serving`) keep their names and addresses until they are gone; CoreDNS drops them at once',
  },
  noendpoints: {
    kind: 'flag',
    doc: 'do not watch EndpointSlices: headless services and names of endpoints do not exist',
  },
  fallthrough: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'NXDOMAIN is final',
    doc: 'pass names that do not exist on to the next plugin, in these zones or in all; never before the first lists are complete, and what nobody else answers is NXDOMAIN after all',
  },
  ignore: {
    kind: 'words',
    syntax: 'empty_service',
    minimum: 1,
    maximum: 1,
    absent: 'services without endpoints exist',
    doc: 'a service with a cluster IP but without a ready endpoint does not exist',
  },
  multicluster: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'no zone',
    doc: 'zones, out of those of the directive, for services that other clusters export (ServiceImport, KEP-1645); without a name those of the server block',
  },
  zonal: {
    kind: 'flag',
    doc: 'names for the endpoints of one topology zone: `<zone>.pin._zone.<service>` and `<zone>.prefer._zone.<service>`',
  },
  startup_timeout: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 5000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'when to warn that the first lists are still missing; names that are not known are SERVFAIL until then and after, other zones are not held up',
  },
} as const satisfies PropertyTable

type Values = PropertyValues<typeof kubernetesOptions>

export interface KubernetesSettings {
  readonly zone: ZoneSettings
  readonly needs: ClusterNeeds
  readonly connection: ConnectionSettings
  /** Zones in which a missing name may exist elsewhere. */
  readonly fallthrough: readonly DnsName[]
  /** Milliseconds. */
  readonly startupTimeout: number
}

export const readKubernetes = (
  directive: Directive,
  block: BlockContext,
): Result<KubernetesSettings, CorefileProblem> => {
  const reader = new DirectiveReader(directive)
  const values = reader.properties(kubernetesOptions)
  const zone = readZones(reader, directive, block, values)
  const hasTopology = block.directives.some(({ name }) => name.text === 'topology')
  const needs: ClusterNeeds = {
    endpointSlices: !values.noendpoints,
    pods: values.pods === 'verified' || wantsClients(block) || mentions(block.directives, CLIENT_KEY),
    podNames: values.endpoint_pod_names,
    topologyZones: values.zonal || hasTopology,
    topologyHints: hasTopology,
    servingEndpoints: values.serving_endpoints,
    podLabels: [...new Set(textsOf(block.directives).flatMap(labelsIn))].sort(),
    serviceImports: values.multicluster.length > 0,
    labels: wordsOf(values.labels).map(textOf).join(' '),
    namespaceLabels: wordsOf(values.namespace_labels).map(textOf).join(' '),
  }
  const connection = readConnection(reader, values)
  const fallthrough = values.fallthrough.length > 0 ? reader.zones(wordsOf(values.fallthrough), ['.']) : []
  return reader.finish(() => ({ zone, needs, connection, fallthrough, startupTimeout: values.startup_timeout }))
}

/** Directives that find clients by their pods, whatever names pods have. */
const wantsClients = ({ directives }: BlockContext): boolean =>
  directives.some(({ name, arguments: words, properties }) => {
    switch (name.text) {
      case 'autopath':
        return words.some(({ text }) => text === '@kubernetes')
      case 'policy':
        return true
      case 'log':
        return properties.some(line => line.name.text === 'namespaces' || line.name.text === 'identity')
      case 'ratelimit':
        return properties.some(line => line.name.text === 'by' && line.arguments[0]?.text === 'namespace')
      default:
        return false
    }
  })

/** Metadata about the pod that asks, in a log line, an expression of a view or a template. */
const CLIENT_KEY = 'kubernetes/client-'

/** Keys of labels (Kubernetes API: an optional DNS prefix, a slash, a name) that are shown of the pod that asks. */
const labelsIn = (text: string): string[] =>
  [...text.matchAll(/kubernetes\/client-label\/([\w.-]+(?:\/[\w.-]+)?)/g)].map(([, key]) => key!)

const textsOf = (parts: readonly DirectivePart[]): string[] =>
  parts.flatMap(({ arguments: words, properties, body }) => [
    ...words.map(textOf),
    ...textsOf(properties ?? body ?? []),
  ])

interface DirectivePart {
  readonly arguments: readonly Word[]
  readonly properties?: readonly Property[]
  readonly body?: readonly Property[]
}

const mentions = (directives: readonly Directive[], text: string): boolean =>
  textsOf(directives).some(word => word.includes(text))

const wordsOf = (properties: Values['labels']): readonly Word[] => properties.flatMap(property => property.arguments)
const textOf = (word: Word): string => word.text

const readZones = (
  reader: DirectiveReader,
  directive: Directive,
  block: BlockContext,
  values: Values,
): ZoneSettings => {
  const names = reader.zones(directive.arguments, block.zones)
  const imported = readImportedZones({ reader, zones: names, blockZones: block.zones }, values)
  const zones = names.map(name => {
    const kind = imported.includes(name) ? 'clusterset' : isReverseName(name) ? 'reverse' : 'cluster'
    return { name, kind } as const
  })
  const primary = zones.find(({ kind }) => kind === 'cluster') ?? zones.find(({ kind }) => kind === 'clusterset')
  if (!primary) {
    reader.refuse(
      directive.name,
      'needs a zone that is not a reverse zone (like cluster.local): PTR records point there',
    )
  }
  const [ignore] = wordsOf(values.ignore)
  if (ignore) reader.choice(ignore, ['empty_service'])
  const zonal = directive.properties.find(({ name }) => name.text === 'zonal')
  if (zonal && values.noendpoints) reader.refuse(zonal.name, '"noendpoints" hides the endpoints of all zones')
  if (ignore && values.noendpoints) reader.refuse(ignore, '"noendpoints" hides which services are empty')
  const [labelled] = values.namespace_labels
  if (labelled && values.namespaces.length > 0) reader.refuse(labelled.name, '"namespaces" stands here too: use one')
  const namespaces = wordsOf(values.namespaces).map(textOf)
  return {
    zones,
    primaryZone: primary?.name ?? '.',
    ttl: values.ttl,
    negativeTtl: values.negative_ttl ?? values.ttl,
    pods: values.pods,
    endpointPodNames: values.endpoint_pod_names,
    ignoreEmptyService: ignore !== undefined,
    zonal: values.zonal,
    namespaces: namespaces.length > 0 ? new Set(namespaces) : undefined,
  }
}

interface ImportableZones {
  readonly reader: DirectiveReader
  readonly zones: readonly DnsName[]
  readonly blockZones: readonly DnsName[]
}

const readImportedZones = (
  { reader, zones, blockZones }: ImportableZones,
  { multicluster }: Values,
): readonly DnsName[] =>
  multicluster.flatMap(({ name, arguments: words }) => {
    const imported = reader.zones(words, blockZones)
    const foreign = imported.find(zone => !zones.includes(zone))
    if (foreign !== undefined)
      reader.refuse(words[0] ?? name, `"${foreign}" is not one of the directive's zones (${zones.join(' ')})`)
    return imported
  })

const readConnection = (reader: DirectiveReader, values: Values): ConnectionSettings => {
  const [url] = wordsOf(values.endpoint)
  const [certificate, key, authority] = wordsOf(values.tls).map(textOf)
  const [file, context] = wordsOf(values.kubeconfig).map(textOf)
  if (url && file !== undefined) reader.refuse(url, '"kubeconfig" names the apiserver too: use one')
  const [tls] = values.tls
  if (tls && !url) reader.refuse(tls.name, '"tls" is for "endpoint", which is missing')
  const endpoint = url ? readEndpoint(url) : undefined
  if (url && !endpoint?.ok) reader.refuse(url, `"${url.text}" is not a URL (like https://10.96.0.1:443)`)
  return {
    kubeconfig: file === undefined ? undefined : { file, context },
    endpoint: endpoint?.ok ? endpoint.value : undefined,
    tls:
      certificate === undefined || key === undefined || authority === undefined
        ? undefined
        : { certificate, key, authority },
  }
}

const readEndpoint = ({ text }: Word): Result<URL, undefined> => {
  // CoreDNS takes host:port alone too, over plain HTTP.
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`)
  return url ? accepted(url) : { ok: false, problem: undefined }
}
