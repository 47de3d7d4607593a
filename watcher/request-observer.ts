import type { Milliseconds } from '#lib/clock.ts'
import { Counter, Histogram, type Registry } from '#lib/metrics.ts'

/** What a client tells of each HTTP request. `host` is `HOST:PORT` of the server. */
export interface RequestObserver {
  /** `code` is the HTTP status, `<error>` when there was no answer. For watches and lists: until the head of the answer. */
  answered(request: { method: string; host: string; code: string; duration: Milliseconds }): void
  /** How long the client itself held the request back because the server had asked it to (Retry-After). 0 mostly. */
  held(request: { method: string; host: string; duration: Milliseconds }): void
}

/**
 * The three metrics that client-go's users export, named `PREFIX_request_duration_seconds`,
 * `PREFIX_rate_limiter_duration_seconds` and `PREFIX_requests_total`, with client-go's labels. The prefix is the
 * program's choice (CoreDNS: `coredns_kubernetes_rest_client`).
 */
export const requestMetrics = (registry: Registry, prefix: string): RequestObserver => {
  const duration = new Histogram({
    name: `${prefix}_request_duration_seconds`,
    help: 'Time from sending a request to the head of its answer, by verb and host.',
    labelNames: ['verb', 'host'] as const,
    registers: [registry],
  })
  const held = new Histogram({
    name: `${prefix}_rate_limiter_duration_seconds`,
    help: 'Time for which the client held a request back before sending it, by verb and host.',
    labelNames: ['verb', 'host'] as const,
    registers: [registry],
  })
  const requests = new Counter({
    name: `${prefix}_requests_total`,
    help: 'HTTP requests, by status code, method and host.',
    labelNames: ['code', 'method', 'host'] as const,
    registers: [registry],
  })
  return {
    answered(request) {
      duration.observe({ verb: request.method, host: request.host }, request.duration / 1000)
      requests.inc({ code: request.code, method: request.method, host: request.host })
    },
    held(request) {
      held.observe({ verb: request.method, host: request.host }, request.duration / 1000)
    },
  }
}
