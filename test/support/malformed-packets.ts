/** Packets that no client should send, in endless kinds: for the malformed-packet and the fuzz tests. */
import { queryPacket } from './query-packet.ts'

/** Deterministic numbers (mulberry32): a failing run can be run again from its seed. */
export class SeededNumbers {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Uniform integer in [0, limit). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!
  }
}

const header = (numbers: SeededNumbers, counts: readonly [number, number, number, number]): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(numbers.below(0x10000), 0)
  bytes.writeUInt16BE(0x0100, 2)
  for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index)
  return bytes
}

const goodQuery = (numbers: SeededNumbers): Buffer =>
  queryPacket(numbers.pick(['my-svc.my-namespace.svc.cluster.local.', 'a.', '.', '_x._tcp.a.example.']), {
    id: numbers.below(0x10000),
    type: numbers.below(300),
    edns: numbers.pick([undefined, { udpSize: 1232, dnssecOk: true, options: [{ code: 10, data: numbers.bytes(8) }] }]),
  })

/** One kind a line; each makes another packet each time. */
export const malformedKinds: Readonly<Record<string, (numbers: SeededNumbers) => Buffer>> = {
  truncated: numbers => {
    const packet = goodQuery(numbers)
    return packet.subarray(0, numbers.below(packet.length))
  },
  loopingPointers: numbers => {
    const name = numbers.pick([
      [0xc0, 12],
      [0xc0, 14, 0xc0, 12],
      [1, 97, 0xc0, 12],
      [0xc0, numbers.below(12)],
      [0xff, 0xff],
      [...numbers.bytes(10).map(byte => byte | 0xc0)],
    ])
    return Buffer.concat([header(numbers, [1, 0, 0, 0]), Buffer.from(name), Buffer.from([0, 1, 0, 1])])
  },
  greatCounts: numbers => {
    const count = () => numbers.pick([0, 1, 2, 0xffff])
    return Buffer.concat([header(numbers, [count(), count(), count(), 0xffff]), numbers.bytes(numbers.below(60))])
  },
  randomBytes: numbers => numbers.bytes(numbers.below(600)),
  randomAfterHeader: numbers =>
    Buffer.concat([
      header(numbers, [1, numbers.below(2), numbers.below(2), numbers.below(3)]),
      numbers.bytes(numbers.below(80)),
    ]),
  longLabels: numbers => {
    const size = 64 + numbers.below(192)
    return Buffer.concat([
      header(numbers, [1, 0, 0, 0]),
      Buffer.from([size]),
      Buffer.alloc(size, 97),
      Buffer.from([0, 0, 1, 0, 1]),
    ])
  },
  longName: numbers => {
    const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 98)])
    const labels = Array.from({ length: 4 + numbers.below(6) }, () => label)
    return Buffer.concat([header(numbers, [1, 0, 0, 0]), ...labels, Buffer.from([0, 0, 1, 0, 1])])
  },
  optGarbage: numbers => {
    const opt = Buffer.concat([
      Buffer.from([0, 0, 41]),
      numbers.bytes(6),
      Buffer.from([0, numbers.below(40)]),
      numbers.bytes(numbers.below(40)),
    ])
    const question = Buffer.from([1, 97, 0, 0, 1, 0, 1])
    const copies = 1 + numbers.below(2)
    return Buffer.concat([header(numbers, [1, 0, 0, copies]), question, ...Array.from({ length: copies }, () => opt)])
  },
  flippedBits: numbers => {
    const packet = Buffer.from(goodQuery(numbers))
    for (let flips = 1 + numbers.below(4); flips > 0; flips--)
      packet[numbers.below(packet.length)]! ^= 1 << numbers.below(8)
    return packet
  },
  responses: numbers => {
    const packet = Buffer.from(goodQuery(numbers))
    packet[2]! |= 0x80
    return packet
  },
  otherOpcodes: numbers => {
    const packet = Buffer.from(goodQuery(numbers))
    packet[2] = (1 + numbers.below(15)) << 3
    return packet
  },
}

/** Kinds that are never by chance a query that can be answered. */
export const neverQueries: ReadonlySet<string> = new Set(['truncated', 'loopingPointers', 'longLabels', 'longName'])

export interface MalformedPacket {
  readonly kind: string
  readonly packet: Buffer
}

export const malformedPacket = (numbers: SeededNumbers): MalformedPacket => {
  const kind = numbers.pick(Object.keys(malformedKinds))
  return { kind, packet: malformedKinds[kind]!(numbers) }
}
