/**
 * loop: finds out at start whether the upstreams lead back to this server (a resolv.conf that names it, 127.0.0.53
 * before it): it asks itself for a random name, and when that question comes in from outside, the answer to every
 * outside name would be asked for endlessly. The program then ends with what to change, as CoreDNS's does.
 */
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { MaybePromise } from '../listener.ts'
import type { BlockContext, Environment, Next, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { encodeQuery } from '../wire/encode.ts'
import { joinName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

/** How long the probe's name is looked for; it is asked for until the upstream answers at all. */
const WATCH: Milliseconds = 30_000
const RETRY: Milliseconds = 2000

export const loopPlugin: PluginModule = {
  name: 'loop',
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    return reader.finish((): Plugin => new Loop(block, environment))
  },
}

class Loop implements Plugin {
  readonly name = 'loop'
  readonly #block: BlockContext
  readonly #environment: Environment
  readonly #probeName: DnsName
  readonly #closed = new AbortController()
  #watching = false

  constructor(block: BlockContext, environment: Environment) {
    this.#block = block
    this.#environment = environment
    const label = () => String(environment.random.integer(2 ** 47))
    this.#probeName = joinName([label(), label()], block.zones[0] ?? '.')
  }

  async start(): Promise<void> {
    this.#watching = true
    void this.#probe()
  }

  async close(): Promise<void> {
    this.#watching = false
    this.#closed.abort()
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName, type } = query.question
    // Our own probe has no client: one that has came back from outside.
    if (!this.#watching || type !== recordTypes.HINFO || canonicalName !== this.#probeName || query.client.port === 0)
      return next(query)
    this.#watching = false
    const { fatal } = this.#environment
    fatal(
      `loop: the question "${canonicalName} HINFO" that ${query.server} sent to its upstreams came back to it from ` +
        `${query.client.address}: an upstream of "forward" leads to this server. Name servers there that do not ask ` +
        'this one (a resolv.conf with 127.0.0.53 is the usual cause: /run/systemd/resolve/resolv.conf has the true ones).',
    )
    return answered('loop', emptyAnswer(rcodes.REFUSED))
  }

  /** Asks until any reply comes: upstreams may start later than we do. */
  async #probe(): Promise<void> {
    const { clock, resolveInternally, logger } = this.#environment
    const end = clock.monotonic() + WATCH
    const server = this.#block.servers[0] ?? ''
    while (this.#watching && clock.monotonic() < end) {
      try {
        const verdict = await resolveInternally(this.#question(clock, server))
        if (verdict.verdict !== 'answered' || verdict.answer.rcode !== rcodes.SERVFAIL) break
      } catch (error) {
        logger.error({ error }, 'the loop probe failed by a bug')
      }
      await sleep(clock, RETRY, this.#closed.signal)
    }
    // A loop through a slow upstream may come back after its reply has been given up.
    await sleep(clock, Math.max(0, end - clock.monotonic()), this.#closed.signal)
    this.#watching = false
  }

  #question(clock: Clock, server: string): Query {
    const name = this.#probeName
    const id = this.#environment.random.integer(0x10000)
    const nobody = { address: '', port: 0 }
    return {
      id,
      question: { name, canonicalName: name, type: recordTypes.HINFO, class: classes.IN },
      recursionDesired: true,
      checkingDisabled: false,
      authenticData: false,
      edns: undefined,
      transport: 'udp',
      client: nobody,
      local: nobody,
      server,
      packet: encodeQuery({ id, name, type: recordTypes.HINFO, recursionDesired: true, edns: undefined }),
      received: clock.monotonic(),
      trace: undefined,
    }
  }
}
