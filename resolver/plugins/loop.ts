/**
 * loop: finds out whether an upstream leads back to this server (a resolv.conf that names it, 127.0.0.53 before it): each
 * is asked for a random name, and when that question comes in from outside, every name that went there would be asked
 * for endlessly. That upstream is asked nothing more, the others serve; it is looked at again now and then.
 */
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { AskedServer, BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { joinName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

/** How often the upstreams are looked over: one of a changed resolv.conf is new. */
const ROUND: Milliseconds = 250
/** How long a probe's name is looked for: a loop through a slow upstream may come back after its reply. */
const WATCH: Milliseconds = 30_000
/** Between probes of an upstream that has said nothing yet. */
const RETRY = { initial: 500, maximum: 60_000 } as const
/** Until one that leads back here is looked at again: somebody may have mended it. */
const LOOK_AGAIN: Milliseconds = 60_000
/** Until one that does not is: somebody may have broken it. */
const STAY_CALM: Milliseconds = 600_000

const metrics = {
  disabled: {
    kind: 'gauge',
    name: 'seamark_loop_upstream_disabled',
    help: '1: the upstream leads back to this server and is not asked; 0: no longer.',
    labels: ['to'],
  },
} as const satisfies MetricTable

export const loopPlugin: PluginModule = {
  name: 'loop',
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    return reader.finish((): Plugin => new Loop(block, environment))
  },
}

/** What is known of an upstream. */
interface Known {
  readonly backoff: Backoff
  nextProbe: Milliseconds
  isLoop: boolean
}

interface Probe {
  readonly server: AskedServer
  readonly sent: Milliseconds
  isBack: boolean
}

class Loop implements Plugin {
  readonly name = 'loop'
  readonly steady = true
  readonly transparent = true
  readonly #block: BlockContext
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #metrics: Metrics<typeof metrics>
  readonly #rounds: Recurrence
  readonly #probes = new Map<DnsName, Probe>()
  #known = new Map<AskedServer, Known>()

  constructor(block: BlockContext, environment: Environment) {
    this.#block = block
    this.#environment = environment
    this.#clock = environment.clock
    this.#metrics = registerMetrics(environment.registry, metrics)
    this.#rounds = new Recurrence({ clock: this.#clock, interval: ROUND, task: () => this.#look() })
  }

  /** Upstreams that `forward` took over are not new. */
  adopt(previous: Plugin): void {
    if (previous instanceof Loop) this.#known = previous.#known
  }

  async start(): Promise<void> {
    this.#look()
    this.#rounds.begin()
  }

  async close(): Promise<void> {
    this.#rounds.end()
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const probe = this.#probes.size > 0 ? this.#probes.get(query.question.canonicalName) : undefined
    if (!probe) return next(query)
    probe.isBack = true
    this.#disable(probe.server, query)
    return isLoop
  }

  /** Probes the upstreams whose time has come. */
  #look(): void {
    const now = this.#clock.monotonic()
    for (const [name, { sent }] of this.#probes) if (now - sent > WATCH) this.#probes.delete(name)
    const present = new Set<AskedServer>()
    for (const { forwarding } of this.#block.plugins())
      for (const server of forwarding?.servers() ?? []) {
        present.add(server)
        const known = this.#known.get(server) ?? this.#meet(server)
        if (known.nextProbe <= now) void this.#probe(server, known, forwarding!.zone())
      }
    for (const server of this.#known.keys()) {
      if (present.has(server)) continue
      this.#known.delete(server)
      this.#metrics.disabled.remove({ to: server.label })
    }
  }

  #meet(server: AskedServer): Known {
    const backoff = new Backoff({ ...RETRY, random: this.#environment.random })
    const known = { backoff, nextProbe: Number.NEGATIVE_INFINITY, isLoop: false }
    this.#known.set(server, known)
    return known
  }

  async #probe(server: AskedServer, known: Known, zone: DnsName): Promise<void> {
    const { random } = this.#environment
    // Until this one is done.
    known.nextProbe = Number.POSITIVE_INFINITY
    const label = () => String(random.integer(2 ** 47))
    const name = joinName([label(), label()], zone)
    const probe: Probe = { server, sent: this.#clock.monotonic(), isBack: false }
    this.#probes.set(name, probe)
    // SERVFAIL is what an upstream says that finds this server not listening yet.
    const isHeard = await server.probe(name, recordTypes.HINFO).then(
      rcode => rcode !== rcodes.SERVFAIL,
      () => false,
    )
    const now = this.#clock.monotonic()
    if (probe.isBack) known.nextProbe = now + LOOK_AGAIN
    else if (!isHeard) known.nextProbe = now + known.backoff.next()
    else {
      known.backoff.reset()
      // Not in step with other replicas.
      known.nextProbe = now + STAY_CALM * (0.5 + random.unit())
      if (known.isLoop) this.#enable(server, known)
    }
  }

  #disable(server: AskedServer, { client, server: listener }: Query): void {
    const known = this.#known.get(server)
    if (!known || known.isLoop) return
    known.isLoop = true
    known.nextProbe = this.#clock.monotonic() + LOOK_AGAIN
    server.exclude(true)
    this.#metrics.disabled.set({ to: server.label }, 1)
    this.#environment.logger.error(
      {
        upstream: server.label,
        listener,
        from: client.address,
        change:
          'name servers in "forward" that do not ask this one; a resolv.conf with 127.0.0.53 is the usual cause, ' +
          'and /run/systemd/resolve/resolv.conf has the true ones',
      },
      'loop: an upstream leads back to this server and is not asked any more',
    )
  }

  #enable(server: AskedServer, known: Known): void {
    known.isLoop = false
    server.exclude(false)
    this.#metrics.disabled.set({ to: server.label }, 0)
    this.#environment.logger.info({ upstream: server.label }, 'loop: the upstream leads back here no longer')
  }
}

const isLoop = answered(
  'loop',
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.OTHER, text: 'loop: this question is the server’s own' }],
  }),
)
