/**
 * Another server that questions are sent to, with what is known of it: whether it answers (health), whether it keeps the
 * case of names, whether it takes EDNS.
 */
import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type SecureContextOptions } from 'node:tls'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Metrics } from '../metrics.ts'
import { rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import { flags } from '../wire/header.ts'
import { decodeResponse, type ResponseMessage } from '../wire/message.ts'
import type { DnsName } from '../wire/record.ts'
import { ExchangeError } from './exchange-error.ts'
import type { proxyMetrics } from './proxy-metrics.ts'
import { checkReply, composeMessage, type OutgoingMessage, type UpstreamQuestion, unmixReply } from './question.ts'
import { StreamUpstream } from './stream.ts'
import { formatTarget, type UpstreamTarget } from './target.ts'
import { exchangeUdp } from './udp.ts'

export interface HealthOptions {
  /** Between probes of a server that failed. */
  readonly interval: Milliseconds
  /** Failures in a row after which a server is down; 0: never. */
  readonly maximumFailures: number
  readonly recursionDesired: boolean
  readonly domain: DnsName
}

export interface UpstreamOptions {
  readonly target: UpstreamTarget
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics<typeof proxyMetrics>
  readonly readTimeout: Milliseconds
  /** Idle connections are kept this long. */
  readonly expire: Milliseconds
  readonly health: HealthOptions
  readonly tls: SecureContextOptions & { readonly servername?: string }
}

/** How a question goes out. A `tls://` target always takes TLS. */
export type Channel = 'udp' | 'tcp'

/** A server that is down is probed at this timeout, not the (longer) one of questions. */
const PROBE_TIMEOUT: Milliseconds = 1000

/** The `proxy_name` label. */
const PROXY_NAME = 'forward'

export class Upstream {
  readonly label: string
  readonly #options: UpstreamOptions
  readonly #stream: StreamUpstream
  #failures = 0
  #probe: Timer | undefined
  #probing = false
  #closed = false
  #keepsCase = true
  #takesEdns = true

  constructor(options: UpstreamOptions) {
    this.#options = options
    const { target, clock, random, expire, metrics } = options
    this.label = formatTarget(target)
    const proto = target.protocol === 'tls' ? 'tcp-tls' : 'tcp'
    this.#stream = new StreamUpstream({
      open: onReady => this.#open(onReady),
      description: `${target.address}#${target.port} over ${target.protocol === 'tls' ? 'TLS' : 'TCP'}`,
      idle: expire,
      clock,
      random,
      onReuse: reused => {
        const counter = reused ? metrics.connectionHits : metrics.connectionMisses
        counter.inc({ proxy_name: PROXY_NAME, to: this.label, proto })
      },
    })
  }

  get isDown(): boolean {
    const { maximumFailures } = this.#options.health
    return maximumFailures > 0 && this.#failures >= maximumFailures
  }

  /** The reply, or an ExchangeError, after which the server is probed until it answers. */
  async ask(question: UpstreamQuestion, channel: Channel, timeout: Milliseconds): Promise<ResponseMessage> {
    const { clock, metrics } = this.#options
    const start = clock.monotonic()
    try {
      const limit = Math.min(timeout, this.#options.readTimeout)
      const response = await this.#askOnce(question, channel, limit)
      const labels = { proxy_name: PROXY_NAME, to: this.label, rcode: rcodeName(response.rcode) }
      metrics.requestDuration.observe(labels, (clock.monotonic() - start) / 1000)
      this.#failures = 0
      return response
    } catch (error) {
      this.#failed()
      throw error
    }
  }

  close(): void {
    this.#closed = true
    this.#probe?.cancel()
    this.#stream.close()
  }

  async #askOnce(question: UpstreamQuestion, channel: Channel, timeout: Milliseconds): Promise<ResponseMessage> {
    const response = await this.#exchange(question, channel, timeout)
    // RFC 6891 §7: a server that does not know EDNS says FORMERR (some: NOTIMP) without OPT; ask again without.
    const choked = response.rcode === rcodes.FORMERR || response.rcode === rcodes.NOTIMP
    if (!choked || response.edns || !this.#takesEdns) return response
    const plain = await this.#exchange(question, channel, timeout, false)
    // One that says the same without OPT did not mind the OPT but the question.
    if (plain.rcode !== response.rcode) this.#takesEdns = false
    return plain
  }

  async #exchange(
    question: UpstreamQuestion,
    channel: Channel,
    timeout: Milliseconds,
    edns = this.#takesEdns,
  ): Promise<ResponseMessage> {
    const overUdp = channel === 'udp' && this.#options.target.protocol === 'dns'
    const style = { mixedCase: overUdp && this.#keepsCase, edns }
    const message = composeMessage(question, style, this.#options.random)
    const reply = overUdp ? await this.#overUdp(message, timeout) : undefined
    const packet = reply ?? (await this.#overStream(message, timeout))
    // The case came back changed over UDP: the same bytes over TCP tell whether that is the server's way.
    if (overUdp && !reply && checkReply(message.packet, packet) === 'wrong-case') this.#keepsCase = false
    unmixReply(packet, message.plainQuestion)
    const decoded = decodeResponse(packet)
    if (decoded.ok) return decoded.value
    // Some cut their datagrams in the middle of a record. Over TCP there is nothing to cut.
    if (overUdp && reply && packet.readUInt16BE(2) & flags.truncated)
      return this.#exchange(question, 'tcp', timeout, edns)
    throw new ExchangeError('closed', `${this.label} sent a malformed reply: ${decoded.problem}`)
  }

  /** Undefined: a reply came whose name has another case, so that it may be forged. */
  async #overUdp({ packet }: OutgoingMessage, timeout: Milliseconds): Promise<Buffer | undefined> {
    const { address, port } = this.#options.target
    let wrongCase = false
    const accepts = (reply: Buffer) => {
      const check = checkReply(packet, reply)
      wrongCase = check === 'wrong-case'
      return check !== 'foreign'
    }
    const reply = await exchangeUdp({ address, port, packet, timeout, clock: this.#options.clock, accepts })
    return wrongCase ? undefined : reply
  }

  #overStream({ packet }: OutgoingMessage, timeout: Milliseconds): Promise<Buffer> {
    return this.#stream.exchange(packet, reply => checkReply(packet, reply) !== 'foreign', timeout)
  }

  #open(onReady: () => void) {
    const { target, tls } = this.#options
    const { address: host, port } = target
    if (target.protocol === 'dns') return connectTcp({ host, port }, onReady)
    const servername = target.serverName ?? tls.servername
    return connectTls({ ...tls, host, port, minVersion: 'TLSv1.2', ...(servername && { servername }) }, onReady)
  }

  #failed(): void {
    const { maximumFailures } = this.#options.health
    if (maximumFailures === 0) return
    this.#failures++
    if (!this.#probing && !this.#probe) this.#probeSoon(0)
  }

  #probeSoon(delay: Milliseconds): void {
    if (this.#closed) return
    this.#probe = this.#options.clock.after(delay, () => {
      this.#probe = undefined
      void this.#probeOnce()
    })
  }

  /** Any reply counts as life; a network error does not. */
  async #probeOnce(): Promise<void> {
    const { health, metrics } = this.#options
    const { domain: name, recursionDesired } = health
    const bits = { checkingDisabled: false, authenticData: false, dnssecOk: false }
    this.#probing = true
    try {
      await this.#exchange({ name, type: recordTypes.NS, recursionDesired, ...bits }, 'udp', PROBE_TIMEOUT)
      this.#failures = 0
    } catch {
      this.#failures++
      metrics.healthcheckFailures.inc({ proxy_name: PROXY_NAME, to: this.label })
      this.#probeSoon(health.interval)
    } finally {
      this.#probing = false
    }
  }
}
