/**
 * What serves an end here for which CoreDNS has, once had, or takes from others, a directive (or a scheme) that Seamark does
 * not have.
 */
const relatives: Readonly<Record<string, string>> = {
  alternate: 'forward',
  azure: 'secondary',
  clouddns: 'secondary',
  dnssec: 'file',
  dynupdate: 'auto',
  etcd: 'file',
  fallback: 'forward',
  fanout: 'forward',
  federation: 'kubernetes',
  firewall: 'policy',
  geoip: 'view',
  grpc: 'forward',
  grpc_server: 'https',
  https3: 'https',
  k8s_gateway: 'k8s_external',
  nomad: 'file',
  // Gone from CoreDNS since 1.5, and still in Corefiles of old clusters.
  proxy: 'forward',
  quic: 'tls',
  records: 'file',
  redisc: 'cache',
  route53: 'secondary',
  rrl: 'ratelimit',
  shed: 'ratelimit',
  sign: 'file',
  siit: 'dns64',
  trace: 'dnstap',
  tsig: 'acl',
  unbound: 'forward',
}

/** `; the nearest to it is "forward"`, or nothing. */
export const relativeOf = (directive: string): string => {
  const relative = Object.hasOwn(relatives, directive) ? relatives[directive] : undefined
  return relative === undefined ? '' : `; the nearest to it is "${relative}"`
}
