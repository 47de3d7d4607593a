/** What the transports count of themselves. Queries and answers are counted by the resolver's `prometheus` plugin. */
import { Counter, Gauge, type Registry } from '#lib/metrics.ts'
import { BUSY, SAMPLE, WINDOW } from './udp/retries.ts'

export type DropReason =
  /** More queries in flight than `maxInFlight`, or more than workers may hand over. */
  | 'in-flight'
  /** The same for names that other servers may have to be asked for, which have only a part of that room. */
  | 'in-flight-others'
  /** More TCP connections than `tcpMaxConnections`. */
  | 'tcp-connections'
  /** A TCP frame of no bytes or more than `tcpMaxQuery`. */
  | 'tcp-frame'
  /** A TCP client that was too slow to write or to read. */
  | 'tcp-timeout'
  /** A client with which no TLS connection came about, or that has not the certificate that is asked of it. */
  | 'tls-handshake'
  /** A UDP query from port 0, where nothing can be sent. */
  | 'udp-port'
  /** The system did not take a UDP reply. */
  | 'udp-send'

export class ServerMetrics {
  readonly tcpConnections: Gauge
  readonly dropped: Counter<'reason'>
  readonly failures: Counter
  readonly retries: Counter
  readonly #receiveBuffer: Gauge
  #receiveBufferBytes = 0
  readonly memoHits: Counter
  readonly memoMisses: Counter
  readonly httpsResponses: Counter<'server' | 'status'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.tcpConnections = new Gauge({
      name: 'seamark_server_tcp_connections',
      help: 'Open connections of clients: TCP, TLS and HTTPS.',
      registers,
    })
    this.dropped = new Counter({
      name: 'seamark_server_dropped_total',
      help: 'Queries, replies and connections that the server gave up, by reason. Under overload: in-flight-others (another server may have had to be asked) before in-flight (names of our own).',
      labelNames: ['reason'],
      registers,
    })
    this.failures = new Counter({
      name: 'seamark_server_responder_failures_total',
      help: 'Queries answered with SERVFAIL because the resolver broke its promise not to throw.',
      registers,
    })
    this.retries = new Counter({
      name: 'seamark_client_retries_total',
      help: `UDP queries that a client sent again, from the same port with the same id, within ${WINDOW / 1000} seconds: it saw no answer to the first. Where more than ${BUSY.toLocaleString('en')} come a second, one in ${SAMPLE} is looked at and stands for ${SAMPLE}.`,
      registers,
    })
    this.#receiveBuffer = new Gauge({
      name: 'seamark_server_udp_receive_buffer_bytes',
      help: 'Receive buffer that the kernel gave the UDP socket that was opened last; less than --udp-receive-buffer: net.core.rmem_max cuts it.',
      registers,
    })
    this.memoHits = new Counter({
      name: 'seamark_server_memo_hits_total',
      help: 'Queries answered from the memo of finished replies, by worker threads and the main thread.',
      registers,
    })
    this.memoMisses = new Counter({
      name: 'seamark_server_memo_misses_total',
      help: 'Queries that the memo had no reply to, by worker threads and the main thread.',
      registers,
    })
    this.httpsResponses = new Counter({
      name: 'coredns_dns_https_responses_total',
      help: 'HTTP responses of the listeners of https://, by status.',
      labelNames: ['server', 'status'],
      registers,
    })
  }

  /** Whether it is another one than the last. */
  tellReceiveBuffer(bytes: number): boolean {
    const isNews = bytes !== this.#receiveBufferBytes
    this.#receiveBufferBytes = bytes
    this.#receiveBuffer.set(bytes)
    return isNews
  }

  drop(reason: DropReason, times = 1): void {
    this.dropped.inc({ reason }, times)
  }
}
