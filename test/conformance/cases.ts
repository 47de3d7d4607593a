/**
 * The corpus of cases.json, typed; its `format` key says what each field means. Cases of our own stand in extra/, in the
 * same format with three additions: `spec` (what forces the answer), `config.corefile` and `objects`.
 */
import { globSync, readFileSync } from 'node:fs'
import type { Manifest } from '../support/static-cluster.ts'

export interface CaseRecord {
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly data: string
}

interface CaseEdns {
  readonly version: number
  /** null: any. */
  readonly udpSize: number | null
  readonly do: boolean
  readonly options: readonly { readonly code: number; readonly data: string }[]
}

export interface Expectation {
  readonly no_response?: boolean
  readonly rcode: string
  readonly aa?: boolean
  readonly answer: readonly CaseRecord[]
  readonly authority: readonly CaseRecord[]
  readonly additional: readonly CaseRecord[]
  readonly order?: 'any' | 'exact'
  readonly case_exact?: boolean
  readonly partial?: boolean
  readonly max_size?: number
  readonly tc?: boolean
  readonly rd?: boolean
  readonly cd?: boolean
  readonly edns?: CaseEdns | null
}

export interface CaseRequest {
  readonly transport?: 'udp' | 'tcp'
  readonly edns?: CaseEdns & { readonly udpSize: number }
  readonly opcode?: string
  readonly rd?: boolean
  readonly cd?: boolean
  readonly qr?: boolean
  readonly qdcount?: number
  readonly ancount?: number
  readonly raw?: string
  readonly pipeline?: number
  readonly ixfr_serial?: string
}

export interface UpstreamRecord {
  readonly name: string
  readonly type: string
  readonly rcode: string
  readonly tc?: boolean
  readonly answer: readonly CaseRecord[]
  readonly authority?: readonly CaseRecord[]
}

export interface UpstreamConfig {
  readonly default: { readonly rcode: string }
  readonly records: readonly UpstreamRecord[]
}

interface ChaosConfig {
  readonly version: string
  readonly hostname: string
  readonly authors: readonly string[]
}

export interface CaseConfig {
  readonly zones: readonly string[]
  readonly ttl: number
  readonly pods: string
  readonly ignoreEmptyService: boolean
  readonly endpointPodNames: boolean
  readonly endpoints: boolean
  readonly zonal: boolean
  readonly namespaces: readonly string[] | null
  readonly namespaceLabels: string | null
  readonly labels: string | null
  readonly synced: boolean
  readonly fallthrough: readonly string[]
  readonly localIPs: readonly string[]
  readonly multiclusterZones: readonly string[]
  readonly external: { readonly zones: readonly string[]; readonly headless: boolean } | null
  readonly autopath: boolean
  /** Search domains of the node's resolv.conf. */
  readonly hostSearch: readonly string[]
  readonly any: string
  readonly chaos: ChaosConfig | null
  readonly transfer: { readonly to: readonly string[] } | null
  readonly nsid: string | null
  readonly upstream: UpstreamConfig | null
  /** Lines of the Corefile instead of those that the other settings make; `UPSTREAM` is the stub's address. */
  readonly corefile?: readonly string[]
}

export interface ConformanceCase {
  readonly id: string
  readonly section: string
  readonly basis: 'spec' | 'e2e' | 'rfc' | 'coredns' | 'quirk' | 'design'
  readonly about: string
  readonly spec?: string
  /** Of the cluster besides those of the corpus. */
  readonly objects?: readonly Manifest[]
  readonly qname: string
  readonly qtype: string
  readonly qclass?: string
  readonly config?: Partial<CaseConfig>
  readonly request?: CaseRequest
  readonly from_pod_ip?: string
  readonly expect: Expectation
  readonly alt_expect?: Expectation
}

interface Corpus {
  readonly config: CaseConfig
  readonly objects: readonly Manifest[]
  readonly cases: readonly ConformanceCase[]
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))

const corpus = readJson('cases.json') as Corpus

interface ExtraFile {
  readonly about: string
  /** For all cases of the file, under each one's own. */
  readonly config?: Partial<CaseConfig>
  readonly objects?: readonly Manifest[]
  readonly cases: readonly ConformanceCase[]
}

export const { cases, objects: caseObjects } = corpus

export const extraCases: readonly ConformanceCase[] = globSync('extra/*.json', { cwd: import.meta.dirname })
  .sort()
  .flatMap(name => {
    const { config, objects = [], cases: own } = readJson(name) as ExtraFile
    return own.map(each => ({ ...each, config: { ...config, ...each.config }, objects }))
  })

export const objectsOf = ({ objects = [] }: ConformanceCase): readonly Manifest[] => [...caseObjects, ...objects]

/** The base settings with the case's own over them, key by key. */
export const configOf = ({ config }: ConformanceCase): CaseConfig => ({ ...corpus.config, ...config })
