/** A question on its way through the plugins: what was asked, by whom, over what. Decoded once, never changed. */
import type { Milliseconds } from '#lib/clock.ts'
import type { MemoTerms } from './memo-terms.ts'
import type { Trace } from './trace.ts'
import type { Answer } from './verdict.ts'
import type { Edns, EdnsOption } from './wire/edns.ts'
import type { DnsName } from './wire/record.ts'

export type Transport = 'udp' | 'tcp' | 'tls' | 'https'

/** As CoreDNS tells it in metrics and logs: TLS and HTTPS are `tcp`; the listener's name says the rest. */
export const protocolOf = (transport: Transport): 'udp' | 'tcp' => (transport === 'udp' ? 'udp' : 'tcp')

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Question {
  /** As the client spelled it. */
  readonly name: DnsName
  /** Lower case; for every comparison. */
  readonly canonicalName: DnsName
  readonly type: number
  readonly class: number
}

export interface KeptAnswer {
  /** The question's own object: a query made from another for another name does not inherit the answer. */
  readonly question: Question
  readonly answer: Answer
  /** On what terms it may be given again. */
  readonly memo?: (() => MemoTerms | undefined) | undefined
}

export interface Query {
  readonly id: number
  readonly question: Question
  /** Bits of the request's header (RFC 1035 §4.1.1, RFC 4035 §3.2.2). */
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly authenticData: boolean
  readonly edns: Edns | undefined
  readonly transport: Transport
  readonly client: Endpoint
  /** The address that the client asked. */
  readonly local: Endpoint
  /** The listener that it came in by (`dns://:53`): which server blocks may answer, and a label of the metrics. */
  readonly server: string
  /** How long its connection stays open without a query; absent: there is none that is DNS's own. */
  readonly idleTimeout?: Milliseconds | undefined
  /** The request's bytes, as they came. */
  readonly packet: Buffer
  /** On the clock's monotonic scale. */
  readonly received: Milliseconds
  /** Present only when somebody wants to know how the answer came about; costs nothing when absent. */
  readonly trace: Trace | undefined
  /**
   * How many questions of this server's own led here; absent: a client asked. Who asks on a client's behalf counts on,
   * so that two zones whose names point at each other come to an end.
   */
  readonly depth?: number
  /** EDNS options for servers that the question is passed on to; the client's own stay here (RFC 6891 §6.2.6). */
  readonly upstreamOptions?: readonly EdnsOption[]
  /**
   * What the cache holds for this very question. Plugins with data of their own never look at it: they have the first
   * word, so that what has become theirs shows at once. `forward` gives it back instead of asking.
   */
  readonly kept?: KeptAnswer
  /**
   * Values that one plugin leaves for others (`kubernetes/namespace` …), shown by the log plugin's `{/name}`.
   * Undefined until the first one is set through `setMetadata`.
   */
  metadata?: Map<string, string>
}
