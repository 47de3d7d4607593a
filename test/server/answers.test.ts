/** The memo and the readable path say the same, whatever the cluster, the question and what happened in between. */
import test from 'ava'
import fc from 'fast-check'
import type { Configuration } from '#resolver/configuration.ts'
import type { Memo } from '#resolver/memo.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { Answers } from '#server/answers.hot.ts'
import { applyChange, type ClusterChange, changes, existing, probes } from '../resolver/zone/cluster-model.ts'
import { configure, type TestWorld, testWorld } from '../support/dns-environment.ts'
import { StaticCluster } from '../support/static-cluster.ts'

const SPACE = 0
const BUDGET = 1024 * 1024

/** A configuration with a memo before it, as a worker and the main thread are together. */
class Memoised {
  readonly world: TestWorld
  readonly configuration: Configuration
  readonly answers: Answers
  hits = 0
  readonly #output = Buffer.alloc(4096)

  constructor(corefile: string, cluster = new StaticCluster()) {
    this.world = testWorld({ cluster: async () => cluster })
    this.configuration = configure(corefile, this.world)
    this.answers = new Answers(this.world.board.shared, BUDGET)
  }

  async start(): Promise<void> {
    await this.configuration.start(new AbortController().signal)
  }

  find(packet: Buffer): Buffer | undefined {
    const { answers } = this
    // Not at the front of its buffer, as in a worker.
    const input = Buffer.concat([Buffer.alloc(7, 0xff), packet, Buffer.alloc(9, 0xff)])
    const length = answers.find(SPACE, input, 7, packet.length, this.#output, 3, this.world.clock.monotonic())
    if (length === 0) return undefined
    this.hits++
    return Buffer.from(this.#output.subarray(3, 3 + length))
  }

  /** By the readable path; what may be kept is. */
  respond(packet: Buffer): Buffer {
    let memo: Memo | undefined
    const reply = this.configuration.responder(Buffer.from(packet), {
      transport: 'udp',
      client: { address: '192.0.2.7', port: 40_000 },
      local: { address: '192.0.2.53', port: 53 },
      server: 'dns://:53',
      memoise: kept => {
        memo = kept
      },
    })
    if (!Buffer.isBuffer(reply)) throw new Error('no answer at once')
    if (memo) this.answers.keep(SPACE, packet, { ...memo, reply: Buffer.from(reply), profile: 0 })
    return reply
  }
}

interface Variant {
  readonly id: number
  readonly recursionDesired: boolean
  readonly edns: { readonly udpSize: number; readonly dnssecOk: boolean; readonly options: [] } | undefined
  readonly upper: number
}

const variant: fc.Arbitrary<Variant> = fc.record({
  id: fc.integer({ min: 0, max: 0xffff }),
  recursionDesired: fc.boolean(),
  edns: fc.option(
    fc.record({
      udpSize: fc.constantFrom(512, 1232, 4096),
      dnssecOk: fc.boolean(),
      options: fc.constant<[]>([]),
    }),
    { nil: undefined },
  ),
  /** One letter in so many is a capital; 0: none. */
  upper: fc.constantFrom(0, 0, 2, 3),
})

const spell = (name: string, upper: number): string =>
  upper === 0 ? name : [...name].map((letter, index) => (index % upper === 0 ? letter.toUpperCase() : letter)).join('')

const types = [recordTypes.A, recordTypes.AAAA, recordTypes.SRV, recordTypes.PTR, recordTypes.TXT]

const packetOf = (name: string, type: number, { upper, ...query }: Variant): Buffer =>
  encodeQuery({ ...query, name: spell(name, upper), type })

let strangers = 0

/** Names that nobody has asked for, as search lists make them. */
const unseen = (): string[] =>
  ['red.svc', 'blue.svc', 'green.svc', 'com', 'svc', 'dns', 'dns-version', 'red.pod', 'hostmaster'].flatMap(suffix => {
    const stranger = `n${strangers++}.${suffix}.cluster.local.`
    return [stranger, `www.${stranger}`, `a.b.www.${stranger}`, `_http._tcp.${stranger}`, `${suffix}.cluster.local.`]
  })

/** Asks for every name that there is and some beside them; the memo's replies must be those of the readable path. */
const compare = (memoised: Memoised, names: ReadonlySet<string>, ask: Variant, same: typeof sameBytes): void => {
  for (const name of [...names, ...unseen()]) {
    for (const type of types) {
      const packet = packetOf(name, type, ask)
      const hit = memoised.find(packet)
      const reply = memoised.respond(packet)
      if (hit && !same(hit, reply))
        throw new Error(`${spell(name, ask.upper)} ${type}\n${hit.toString('hex')}\n${reply.toString('hex')}`)
    }
  }
}

const sameBytes = (one: Buffer, other: Buffer): boolean => one.equals(other)

/** Addresses in any order. */
const sameRecords = (one: Buffer, other: Buffer): boolean => recordsOf(one) === recordsOf(other)

const recordsOf = (packet: Buffer): string => {
  const read = decodeResponse(packet)
  if (!read.ok) throw new Error(read.problem)
  const { answers, authority, additional, ...rest } = read.value
  const texts = [answers, authority, additional].map(records => records.map(record => JSON.stringify(record)).sort())
  return JSON.stringify([rest, texts])
}

const block = (lines: string): string =>
  `.:53 {\n kubernetes cluster.local set.local in-addr.arpa ip6.arpa {\n${lines}\n }\n`

const corefiles = {
  'the cluster’s zones': [`${block('pods insecure')} }`, sameBytes],
  'pods by their address, clusters of a set, no empty services': [
    `${block('pods verified\nmulticluster set.local\nignore empty_service')} }`,
    sameBytes,
  ],
  'what kubeadm has': [`errors\n`, sameRecords],
} as const

const kubeadm = `${block('pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30')} errors\n cache 30\n loadbalance\n prometheus 127.0.0.1:0\n }`

for (const [title, [text, same]] of Object.entries(corefiles)) {
  test(`the same as the readable path, through all changes: ${title}`, async t => {
    let hits = 0
    const property = fc.asyncProperty(
      changes,
      fc.array(variant, { minLength: 1, maxLength: 3 }),
      async (list, asks) => {
        const cluster = new StaticCluster()
        const memoised = new Memoised(same === sameRecords ? kubeadm : text, cluster)
        await memoised.start()
        for (const [index, change] of (list as ClusterChange[]).entries()) {
          applyChange(cluster, change)
          const names = probes(existing(cluster))
          compare(memoised, names, asks[index % asks.length]!, same)
          memoised.world.clock.advance(400)
        }
        await memoised.configuration.close()
        hits += memoised.hits
      },
    )
    t.timeout(300_000)
    await fc.assert(property, { numRuns: Number(process.env.SEAMARK_RUNS ?? 4), includeErrorInReport: true })
    t.true(hits > 1000, `${hits} hits`)
    t.log(`${hits} replies of the memo compared`)
  })
}
