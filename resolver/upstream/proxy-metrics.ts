import { exponentialBuckets } from '#lib/metrics.ts'
import type { MetricTable } from '../metrics.ts'

/** What is counted of every upstream, by CoreDNS's names where it has one; `to` is its address and port. */
export const proxyMetrics = {
  requestDuration: {
    kind: 'histogram',
    name: 'coredns_proxy_request_duration_seconds',
    help: 'Time that an upstream took to reply, by its rcode.',
    labels: ['proxy_name', 'to', 'rcode'],
    buckets: exponentialBuckets(0.00025, 2, 16),
  },
  healthcheckFailures: {
    kind: 'counter',
    name: 'coredns_proxy_healthcheck_failures_total',
    help: 'Health probes that got no reply.',
    labels: ['proxy_name', 'to'],
  },
  connectionHits: {
    kind: 'counter',
    name: 'coredns_proxy_conn_cache_hits_total',
    help: 'Questions that found an open connection (tcp, tcp-tls, https).',
    labels: ['proxy_name', 'to', 'proto'],
  },
  connectionMisses: {
    kind: 'counter',
    name: 'coredns_proxy_conn_cache_misses_total',
    help: 'Questions that had to open a connection (tcp, tcp-tls, https).',
    labels: ['proxy_name', 'to', 'proto'],
  },
  down: {
    kind: 'gauge',
    name: 'seamark_forward_upstream_down',
    help: '1: the upstream has failed `max_fails` probes in a row.',
    labels: ['to'],
  },
  localErrors: {
    kind: 'counter',
    name: 'seamark_forward_local_errors_total',
    help: 'Questions that could not be sent because this server was out of sockets, ports or memory.',
    labels: [],
  },
} as const satisfies MetricTable
