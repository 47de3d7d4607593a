/** The data set as a zone file, for servers that are authoritative for it. */
import type { ServiceEntry } from './contender.ts'

export const clusterZoneFile = (services: readonly ServiceEntry[]): string =>
  [
    '$ORIGIN cluster.local.',
    '$TTL 30',
    '@ SOA ns.dns hostmaster 1 7200 1800 86400 30',
    '@ NS ns.dns',
    'ns.dns A 127.0.0.1',
    ...services.map(({ name, address }) => `${name} A ${address}`),
    '',
  ].join('\n')
