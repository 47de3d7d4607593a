/**
 * How a question is answered, told step by step: it goes through the same plugins as a client's, with a trace. The answer
 * is the real one (a cache keeps it, an upstream is asked); only what counts and logs replies does not hear of it.
 */
import assert from 'node:assert'
import { isIP } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { BlockIdentity } from '../chain.ts'
import type { Configuration } from '../configuration.ts'
import type { Query } from '../query.ts'
import { Trace, type TraceStep } from '../trace.ts'
import type { Verdict } from '../verdict.ts'
import { rcodeName, rcodes, typeName } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import { OWN_UDP_SIZE } from '../wire/edns.ts'
import { encodeQuery } from '../wire/encode.ts'
import { decodeQuery } from '../wire/message.ts'
import { splitLabels } from '../wire/name.ts'
import { recordToText } from '../wire/presentation.ts'
import { aaaaData, aData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import { type ClusterFacts, clusterFacts } from './cluster-facts.ts'

export interface ExplainRequest {
  /** In presentation format. Without a final dot it is searched as the client would, where its search list is known. */
  readonly name: string
  readonly type: number
  /** The IP address that asks. */
  readonly client: string
  /** Whose search list; absent: that of the client's pod, where the `kubernetes` plugin knows it. */
  readonly namespace?: string
  /** The listener (`dns://:53`); absent: the first. */
  readonly server?: string
}

/** One question, answered. */
export interface Explanation {
  readonly name: DnsName
  readonly type: string
  readonly server: string
  /** Absent: no server block is for the name. */
  readonly block?: BlockIdentity
  /** That were asked, in order; a plugin that asks this server itself makes others come twice. */
  readonly plugins: readonly string[]
  /** The plugin that answered; `''`: none did. */
  readonly by: string
  /** `''`: silence. */
  readonly rcode: string
  /** In presentation format. */
  readonly answers: readonly string[]
  readonly authority: readonly string[]
  readonly additional: readonly string[]
  readonly extendedErrors: readonly ExtendedError[]
  readonly duration: Milliseconds
  /** What plugins told on the way. */
  readonly steps: readonly TraceStep[]
  readonly cluster?: ClusterFacts
  /** Why there is nothing; `''`: there is something. */
  readonly cause: string
  /** What to do about it. */
  readonly next: readonly string[]
}

export interface ExplainedClient {
  readonly address: string
  /** `''`: not known. */
  readonly namespace: string
  readonly pod: string
}

export interface Report {
  readonly client: ExplainedClient
  /** The search list that was tried; absent: the name was taken as it is. */
  readonly search?: readonly DnsName[]
  /** As the client asks them, one after the other, up to the one that ends the search. */
  readonly candidates: readonly Explanation[]
}

/** The kubelet's, for pods with ClusterFirst. */
const NDOTS = 5

/** Resolves with at least one candidate. */
export const explain = async (configuration: Configuration, clock: Clock, request: ExplainRequest): Promise<Report> => {
  const client = identify(configuration, clock, request)
  const search = request.name.endsWith('.')
    ? undefined
    : searchList(configuration, request.namespace ?? client.namespace)
  const candidates: Explanation[] = []
  for (const name of candidateNames(request.name, search)) {
    const explained = await explainName(configuration, clock, { ...request, name })
    candidates.push(explained)
    // resolv.conf(5): the search goes on while there is no such name, or no such record.
    if (explained.rcode !== 'NXDOMAIN' && (explained.rcode !== 'NOERROR' || explained.answers.length > 0)) break
  }
  return { client, ...(search && { search }), candidates }
}

/** resolv.conf(5): a name with fewer dots than `ndots` is tried with the search list first. */
const candidateNames = (name: string, search: readonly DnsName[] | undefined): readonly DnsName[] => {
  const absolute = name.endsWith('.') ? name : `${name}.`
  if (!search) return [absolute]
  const searched = search.map(domain => `${absolute}${domain}`)
  return splitLabels(absolute).length - 1 >= NDOTS ? [absolute, ...searched] : [...searched, absolute]
}

const searchList = (configuration: Configuration, namespace: string): readonly DnsName[] | undefined => {
  if (namespace === '') return undefined
  const zones = configuration.plugins.flatMap(plugin => plugin.cluster?.()?.options.settings.zones ?? [])
  const zone = zones.find(({ kind }) => kind === 'cluster')?.name
  return zone === undefined ? undefined : [`${namespace}.svc.${zone}`, `svc.${zone}`, zone]
}

/** The address of a client that is given as it is, or as `namespace/pod`. */
export const clientAddress = (configuration: Configuration, client: string): Result<string, string> => {
  if (isIP(client) !== 0) return accepted(client)
  const [namespace = '', name, ...rest] = client.split('/')
  if (!name || rest.length > 0) return refused(`"${client}" is neither an IP address nor NAMESPACE/POD`)
  const indexes = configuration.plugins.flatMap(plugin => plugin.cluster?.()?.options.index ?? [])
  if (!indexes.some(({ watchesPods }) => watchesPods))
    return refused(
      'pods are not known here (pods verified, autopath @kubernetes or log with identity): give the IP address',
    )
  const pod = indexes.map(index => index.podNamed(namespace, name)).find(found => found !== undefined)
  if (pod?.ipv4) return accepted(aData.decode(Buffer.from(pod.ipv4)))
  if (pod?.ipv6) return accepted(aaaaData.decode(Buffer.from(pod.ipv6)))
  return refused(`there is no pod "${client}" with an address`)
}

/** Who the client is, by what plugins know. */
const identify = (configuration: Configuration, clock: Clock, request: ExplainRequest): ExplainedClient => {
  const query = makeQuery(configuration, clock, { ...request, name: '.' })
  return { address: request.client, ...identityOf(configuration, query) }
}

/** `''` where it is not known. */
export const identityOf = (configuration: Configuration, query: Query): { namespace: string; pod: string } => {
  const metadata = new Map<string, string>()
  for (const plugin of configuration.plugins) plugin.provideMetadata?.(query, metadata)
  return {
    namespace: metadata.get('kubernetes/client-namespace') ?? '',
    pod: metadata.get('kubernetes/client-pod-name') ?? '',
  }
}

/** A question as a client at `client` would put it over UDP, with EDNS so that causes are told. */
export const makeQuery = (
  configuration: Configuration,
  clock: Clock,
  { name, type, client, server }: ExplainRequest,
): Query => {
  const { listeners } = configuration
  const listener = listeners.find(each =>
    server === undefined ? (each.scheme ?? 'dns') === 'dns' : each.server === server,
  )
  const packet = encodeQuery({
    id: 0,
    name,
    type,
    recursionDesired: true,
    edns: { udpSize: OWN_UDP_SIZE, dnssecOk: false, options: [] },
  })
  const context = {
    transport: 'udp',
    client: { address: client, port: 0 },
    local: listener ? { address: listener.address.host, port: listener.address.port } : { address: '', port: 0 },
    server: listener?.server ?? listeners[0]?.server ?? '',
  } as const
  const decoded = decodeQuery(packet, context, clock.monotonic())
  assert(decoded.verdict === 'query', 'a question of our own is a question')
  return decoded.query
}

const explainName = async (
  configuration: Configuration,
  clock: Clock,
  request: ExplainRequest,
): Promise<Explanation> => {
  const asked = makeQuery(configuration, clock, request)
  const trace = new Trace(clock)
  const query = { ...asked, trace }
  const verdict = await configuration.conclude(query)
  const duration = clock.monotonic() - query.received
  const answer = verdict.verdict === 'answered' ? verdict.answer : undefined
  const cluster = factsOf(configuration, query)
  const told = {
    name: query.question.name,
    type: typeName(query.question.type),
    server: query.server,
    ...blockOf(trace),
    plugins: trace.steps.filter(({ what }) => what === 'asked').map(({ who }) => who),
    by: verdict.verdict === 'unhandled' ? '' : verdict.by,
    rcode: rcodeOf(verdict),
    answers: (answer?.answers ?? []).map(recordToText),
    authority: (answer?.authority ?? []).map(recordToText),
    additional: (answer?.additional ?? []).map(recordToText),
    extendedErrors: answer?.extendedErrors ?? [],
    duration,
    steps: trace.steps.filter(({ what }) => what !== 'asked' && what !== BLOCK_CHOSEN),
    ...(cluster && { cluster }),
  }
  return { ...told, ...conclude(told) }
}

const BLOCK_CHOSEN = 'server block chosen'

const blockOf = ({ steps }: Trace): { block?: BlockIdentity } => {
  const step = steps.find(({ what }) => what === BLOCK_CHOSEN)
  return step ? { block: step.fields as unknown as BlockIdentity } : {}
}

const rcodeOf = (verdict: Verdict): string => {
  if (verdict.verdict === 'answered') return rcodeName(verdict.answer.rcode)
  return verdict.verdict === 'unhandled' ? rcodeName(rcodes.SERVFAIL) : ''
}

/** Of the `kubernetes` plugin whose zone the name lies in, where there is one. */
const factsOf = (configuration: Configuration, { question }: Query): ClusterFacts | undefined => {
  for (const plugin of configuration.plugins) {
    const zones = plugin.cluster?.()
    const facts = zones && clusterFacts(zones, question.canonicalName)
    if (facts) return facts
  }
  return undefined
}

type Told = Omit<Explanation, 'cause' | 'next'>

const conclude = (told: Told): Pick<Explanation, 'cause' | 'next'> => {
  if (told.rcode === 'NOERROR' && told.answers.length > 0) return { cause: '', next: [] }
  const isClusters = told.by === 'kubernetes' || told.by === 'autopath'
  const fromCluster = isClusters ? told.cluster : undefined
  const causes = [fromCluster?.cause, ...told.extendedErrors.map(({ text }) => text), generalCause(told)]
  const next = [...(fromCluster?.next ?? []), ...generalNext(told)]
  return { cause: causes.find(cause => cause) ?? '', next }
}

const generalCause = ({ rcode, by, type, block }: Told): string => {
  const who = by === 'forward' || by === 'cache' ? 'the upstream' : `plugin ${by}`
  switch (rcode) {
    case '':
      return `${who} drops the query: the client hears nothing`
    case 'NOERROR':
      return `the name exists, but has no record of type ${type}`
    case 'NXDOMAIN':
      return `${who} says that there is no such name`
    case 'REFUSED':
      return block ? `${who} refuses the query` : 'no server block of the Corefile is for this name'
    default:
      return by === '' ? 'no plugin of the server block answers this name' : `${who} failed`
  }
}

const generalNext = ({ rcode, by, name, type, steps, block }: Told): readonly string[] => {
  if (!block) return ['add a server block for the name to the Corefile, like ".:53 { forward . /etc/resolv.conf }"']
  if (by === '' && rcode === 'SERVFAIL') return ['add a plugin that answers it to the server block, like forward']
  const upstream = steps.findLast(({ who, fields }) => who === 'forward' && fields.upstream)?.fields.upstream
  if (by === 'forward' && rcode === 'SERVFAIL')
    return [`ask the upstream from where this server runs: dig ${upstream ? `@${upstream} ` : ''}${name} ${type}`]
  return []
}
