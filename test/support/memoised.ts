/** A configuration with a memo before it, as a worker and the main thread are together; and questions to compare them by. */
import fc from 'fast-check'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { systemRandom } from '#lib/random.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { HitListener, Memo } from '#resolver/memo.ts'
import { ednsOptionCodes } from '#resolver/wire/codes.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import type { EdnsOption } from '#resolver/wire/edns.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { clientBytes } from '#resolver/zone/address.ts'
import { Answers } from '#server/answers.hot.ts'
import { configure, type TestWorld, testWorld } from './dns-environment.ts'
import { StaticCluster } from './static-cluster.ts'

const SPACE = 0
const BUDGET = 1024 * 1024
const CLIENT = '192.0.2.7'

export class Memoised {
  readonly world: TestWorld
  readonly configuration: Configuration
  readonly answers: Answers
  hits = 0
  readonly uncounted: HitListener[] = []
  readonly #listeners: HitListener[] = []
  readonly #output = Buffer.alloc(4096)
  /** As a worker has them: made of the same secret. */
  readonly #cookies: ServerCookies

  constructor(corefile: string, cluster = new StaticCluster(), folder?: string) {
    const world = testWorld({ cluster: async () => cluster })
    const { clock } = world
    const secret = newCookieSecret(systemRandom)
    this.world = { ...world, cookies: new ServerCookies({ clock, secret }) }
    this.#cookies = new ServerCookies({ clock, secret })
    this.configuration = configure(corefile, this.world, folder)
    this.answers = new Answers(this.world.board.shared, BUDGET)
  }

  async start(): Promise<void> {
    await this.configuration.start(new AbortController().signal)
  }

  find(packet: Buffer, client = CLIENT): Buffer | undefined {
    const { answers } = this
    // Not at the front of its buffer, as in a worker.
    const input = Buffer.concat([Buffer.alloc(7, 0xff), packet, Buffer.alloc(9, 0xff)])
    const length = answers.find(SPACE, input, 7, packet.length, this.#output, 3, this.world.clock.monotonic())
    if (length === 0) return undefined
    const { cookieAt, askedCookieAt, askedCookieLength } = answers
    const address = clientBytes(client)
    if (cookieAt > 0)
      this.#cookies.write(input, askedCookieAt, askedCookieLength, address, 0, address.length, this.#output, cookieAt)
    this.hits++
    this.uncounted.push(this.#listeners[answers.profile]!)
    return Buffer.from(this.#output.subarray(3, 3 + length))
  }

  /** By the readable path; what may be kept is. */
  respond(packet: Buffer, client = CLIENT): Buffer {
    const reply = this.ask(packet, client)
    if (!Buffer.isBuffer(reply)) throw new Error('no answer at once')
    return reply
  }

  /** The same for what may have to be waited for. */
  ask(packet: Buffer, client = CLIENT): MaybePromise<Buffer | undefined> {
    let memo: Memo | undefined
    const reply = this.configuration.responder(Buffer.from(packet), {
      transport: 'udp',
      client: { address: client, port: 40_000 },
      local: { address: '192.0.2.53', port: 53 },
      server: 'dns://:53',
      memoise: kept => {
        memo = kept
      },
    })
    if (memo && Buffer.isBuffer(reply)) this.#keep(packet, memo, Buffer.from(reply))
    return reply
  }

  #keep(packet: Buffer, memo: Memo, reply: Buffer): void {
    this.answers.keep(SPACE, packet, { ...memo, reply, profile: this.#listeners.push(memo.hits) - 1 })
  }

  /** Tells those who count of the hits, as the main thread does now and then. */
  settle(): void {
    for (const listener of this.uncounted.splice(0)) listener.add(1, 0.1)
  }
}

export interface Variant {
  readonly id: number
  readonly recursionDesired: boolean
  readonly edns:
    | { readonly udpSize: number; readonly dnssecOk: boolean; readonly options: readonly EdnsOption[] }
    | undefined
  readonly upper: number
}

/** RFC 7871 §6. */
const CLIENT_SUBNET = 8

const option: fc.Arbitrary<EdnsOption> = fc.oneof(
  fc.record({
    code: fc.constant<number>(ednsOptionCodes.COOKIE),
    // RFC 7873 §4, and one that is too short.
    data: fc.constantFrom(8, 8, 16, 24, 24, 40, 7).map(length => Buffer.alloc(length, length)),
  }),
  fc.record({
    code: fc.constantFrom<number>(ednsOptionCodes.PADDING, ednsOptionCodes.KEEPALIVE, ednsOptionCodes.NSID),
    data: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(3)),
  }),
  fc.record({
    code: fc.constant(CLIENT_SUBNET),
    // RFC 7871 §6: family, length of the prefix, of the scope, 203.0.113.0/24 or another network.
    data: fc.constantFrom('0001180000cb0071', '00011800c0000200').map(hex => Buffer.from(hex, 'hex')),
  }),
)

export const variant: fc.Arbitrary<Variant> = fc.record({
  id: fc.integer({ min: 0, max: 0xffff }),
  recursionDesired: fc.boolean(),
  edns: fc.option(
    fc.record({
      udpSize: fc.constantFrom(512, 1232, 4096),
      dnssecOk: fc.boolean(),
      options: fc.array(option, { maxLength: 2 }),
    }),
    { nil: undefined },
  ),
  /** One letter in so many is a capital; 0: none. */
  upper: fc.constantFrom(0, 0, 2, 3),
})

/**
 * RFC 7873 §5.2.2: a query with a cookie of another length cannot be read. Over UDP no more than so many of these are told
 * so in a second: the others have no reply.
 */
export const isReadable = ({ edns }: Pick<Variant, 'edns'>): boolean =>
  !edns?.options.some(({ code, data }) => code === ednsOptionCodes.COOKIE && data.length < 8)

export const spell = (name: string, upper: number): string =>
  upper === 0 ? name : [...name].map((letter, index) => (index % upper === 0 ? letter.toUpperCase() : letter)).join('')

export const packetOf = (name: string, type: number, { upper, ...query }: Variant): Buffer =>
  encodeQuery({ ...query, name: spell(name, upper), type })

export const sameBytes = (one: Buffer, other: Buffer): boolean => one.equals(other)

/** Addresses in any order. */
export const sameRecords = (one: Buffer, other: Buffer): boolean => recordsOf(one) === recordsOf(other)

const recordsOf = (packet: Buffer): string => {
  const read = decodeResponse(packet)
  if (!read.ok) throw new Error(read.problem)
  const { answers, authority, additional, ...rest } = read.value
  const texts = [answers, authority, additional].map(records => records.map(record => JSON.stringify(record)).sort())
  return JSON.stringify([rest, texts])
}
