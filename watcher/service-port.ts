/** A port as DNS and the proxies see it, of a Service, a slice or an import alike. */
export interface ServicePortView {
  /** `''` when unnamed. */
  readonly name: string
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string
  readonly port: number
}
