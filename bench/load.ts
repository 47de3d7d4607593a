/** What a server is asked, how fast, and what came of it. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https'

/** Queries under way at any time (throughput), or queries a second (latency). */
export type Pace = { readonly window: number } | { readonly rate: number }

export interface Load {
  readonly address: string
  readonly port: number
  /** Absent: UDP. */
  readonly transport?: Transport
  /** Of `writeQuestions`; they are asked in turn. */
  readonly questions: string
  readonly seconds: number
  readonly pace: Pace
  /** UDP only: the address to ask from; absent: the system's choice. */
  readonly source?: string
  /** UDP only: the first eight octets of each name's first label become a number that no question before had. */
  readonly fresh?: boolean
}

export interface LoadReport {
  readonly seconds: number
  readonly sent: number
  readonly received: number
  /** Without a reply within a second. */
  readonly lost: number
  /** Replies without an answer record. */
  readonly empty: number
  readonly truncated: number
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Replies by RCODE. */
  readonly rcodes: readonly number[]
}
