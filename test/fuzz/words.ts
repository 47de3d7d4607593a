/** What names, messages and requests of the fuzzer are made of. */
import { encodeName } from '#resolver/wire/name.ts'
import type { SeededNumbers } from '../support/malformed-packets.ts'
import { queryPacket } from '../support/query-packet.ts'

/** Names that something answers, or nearly. */
const names: readonly string[] = [
  '.',
  'cluster.local.',
  'svc.cluster.local.',
  'harbor.svc.cluster.local.',
  'crane.harbor.svc.cluster.local.',
  '_berth._tcp.crane.harbor.svc.cluster.local.',
  'lens-0.lens.lighthouse.svc.cluster.local.',
  'swarm.lighthouse.svc.cluster.local.',
  'chandler.harbor.svc.cluster.local.',
  'ring-a.harbor.svc.cluster.local.',
  'coast-a.pin._zone.lens.lighthouse.svc.cluster.local.',
  '10-77-9-5.lagoon.pod.cluster.local.',
  'fd00--1.lagoon.pod.cluster.local.',
  'ns.dns.cluster.local.',
  'dns-version.cluster.local.',
  '10.4.27.172.in-addr.arpa.',
  '1.1.0.0.0.9.a.7.c.5.d.f.ip6.arpa.',
  'skiff-0.south.flotilla.harbor.svc.clusterset.local.',
  'gantry.harbor.ships.example.net.',
  'www.example.org.harbor.svc.cluster.local.',
  'version.bind.',
  'hits.bind.',
  'localhost.',
  'host.example.',
  'a.wild.example.',
  'x.rewritten.example.',
  'ip-10-1-2-3.made.example.',
  'deep.under.zone.example.',
  'alias.zone.example.',
  'x.dname.zone.example.',
  'x.cut.zone.example.',
]

const labels: readonly string[] = [
  '_tcp',
  '_udp',
  '_berth',
  '_',
  '*',
  'a'.repeat(63),
  'svc',
  'pod',
  'dns',
  'pin',
  '_zone',
  '0',
  'xn--x',
  '\\000',
  '\\255',
  '\\.',
]

const options: readonly Buffer[] = ['0003', '000a', '000b', '000c', '0008', '000f', 'fe00'].map(code =>
  Buffer.from(code, 'hex'),
)

export const messageWords: readonly Buffer[] = [
  ...names.map(name => encodeName(name)),
  ...options,
  Buffer.from('c00c', 'hex'),
  Buffer.from('0000290400000080000000', 'hex'),
  Buffer.from('000a00080011223344556677', 'hex'),
  Buffer.from('c00c000100010000000500040a000001', 'hex'),
]

const randomName = (numbers: SeededNumbers): string => {
  const base = numbers.pick(names)
  const added = Array.from({ length: numbers.below(4) }, () => numbers.pick(labels))
  const name = [...added, base === '.' ? '' : base].join('.')
  const spelled =
    numbers.below(3) === 0 ? name.replaceAll(/[a-z]/g, one => (numbers.below(2) ? one.toUpperCase() : one)) : name
  // 255 octets at most (RFC 1035 §2.3.4).
  return spelled === '' || spelled.length > 240 ? base : spelled
}

const types = [1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 43, 64, 65, 250, 251, 252, 255, 0, 65_280, 0xffff]

/** A query that a client might send. */
export const randomQuery = (numbers: SeededNumbers): Buffer =>
  queryPacket(randomName(numbers), {
    id: numbers.below(0x10000),
    type: numbers.pick(types),
    class: numbers.pick([1, 1, 1, 1, 3, 4, 254, 255, 0]),
    recursionDesired: numbers.below(4) > 0,
    checkingDisabled: numbers.below(4) === 0,
    edns:
      numbers.below(2) === 0
        ? undefined
        : {
            udpSize: numbers.pick([0, 511, 512, 1232, 4096, 0xffff]),
            dnssecOk: numbers.below(2) === 0,
            options: Array.from({ length: numbers.below(3) }, () => ({
              code: numbers.pick(options).readUInt16BE(0),
              data: numbers.bytes(numbers.pick([0, 1, 2, 8, 16, 24, 40])),
            })),
          },
  })
