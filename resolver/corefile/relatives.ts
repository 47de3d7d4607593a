/** What serves an end here for which CoreDNS has, or once had, a directive that Seamark does not have. */
const relatives: Readonly<Record<string, string>> = {
  azure: 'secondary',
  clouddns: 'secondary',
  etcd: 'file',
  federation: 'kubernetes',
  geoip: 'view',
  grpc: 'forward',
  nomad: 'file',
  // Gone from CoreDNS since 1.5, and still in Corefiles of old clusters.
  proxy: 'forward',
  route53: 'secondary',
  shed: 'ratelimit',
  trace: 'dnstap',
  tsig: 'acl',
}

/** `; the nearest to it is "forward"`, or nothing. */
export const relativeOf = (directive: string): string => {
  const relative = Object.hasOwn(relatives, directive) ? relatives[directive] : undefined
  return relative === undefined ? '' : `; the nearest to it is "${relative}"`
}
