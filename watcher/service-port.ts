import { LRUCache } from 'lru-cache'

/** A port as DNS and the proxies see it, of a Service, a slice or an import alike. */
export interface ServicePortView {
  /** `''` when unnamed. */
  readonly name: string
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string
  readonly port: number
}

interface RawPort {
  readonly name?: string
  readonly protocol?: string
  readonly port?: number | null
}

/** A cluster has thousands of services, and a few lists of ports among them. */
const pool = new LRUCache<string, readonly ServicePortView[]>({ max: 1000 })

/**
 * Ports without a number are left out. Equal lists are one object, mostly: they may still be equal and be two. A slice
 * without ports has `null`.
 */
export const portsOf = (raw: readonly RawPort[] | null | undefined): readonly ServicePortView[] => {
  const ports = (raw ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
    port === undefined || port === null ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
  )
  const key = ports.map(({ name, protocol, port }) => `${name} ${protocol} ${port}`).join()
  const known = pool.get(key)
  if (known) return known
  pool.set(key, ports)
  return ports
}
