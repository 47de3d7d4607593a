/**
 * A resource record as the readable path handles it.
 *
 * Names are text in presentation form: fully qualified with the final dot, case kept as it came, special bytes escaped
 * as `\.` `\\` and `\DDD` (RFC 1035 §5.1), so that every name that can be on the wire has exactly one text and goes
 * back to the same bytes. Compare names by `canonicalName` (name.ts), never by `===` on what a client sent.
 */
export type DnsName = string

export interface ResourceRecord {
  readonly name: DnsName
  /** Number of the TYPE registry; `recordTypes` in codes.ts has the names. */
  readonly type: number
  /** Nearly always 1 (IN). */
  readonly class: number
  /** Seconds. */
  readonly ttl: number
  /** RDATA as on the wire, names inside it uncompressed. `rdata.ts` makes and reads it. */
  readonly data: Buffer
}
