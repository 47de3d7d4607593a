/** The corpus of cases.json, typed; its `format` key says what each field means. */
import { readFileSync } from 'node:fs'
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
}

export interface ConformanceCase {
  readonly id: string
  readonly section: string
  readonly basis: 'spec' | 'e2e' | 'rfc' | 'coredns' | 'quirk' | 'design'
  readonly about: string
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

const corpus = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as Corpus

export const { cases, objects } = corpus

/** The base settings with the case's own over them, key by key. */
export const configOf = ({ config }: ConformanceCase): CaseConfig => ({ ...corpus.config, ...config })
