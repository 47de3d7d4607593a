/**
 * How a question reaches one server and its reply comes back, over UDP, TCP, TLS or HTTPS, with what is known of the
 * server's ways: whether it keeps the case of names, whether it takes EDNS.
 */
import { connect as connectTcp } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { tls as nodeTls } from '#lib/node-tls.ts'
import type { Random } from '#lib/random.ts'
import type { Transport as QueryTransport } from '../query.ts'
import { ednsOptionCodes, rcodes } from '../wire/codes.ts'
import { findOption } from '../wire/edns.ts'
import { flags } from '../wire/header.ts'
import { decodeResponse, type ResponseMessage } from '../wire/message.ts'
import type { ResourceRecord } from '../wire/record.ts'
import type { Datagrams } from './datagrams.ts'
import { ExchangeError, isLocal } from './exchange-error.ts'
import type { ExchangeTap } from './exchange-tap.ts'
import { type DohMethod, HttpsUpstream } from './https.ts'
import { type Outcome, promised } from './outcome.ts'
import { checkReply, composeMessage, type UpstreamQuestion, unmixReply } from './question.ts'
import { StreamUpstream } from './stream.ts'
import { targetLabel, type UpstreamProtocol, type UpstreamTarget } from './target.ts'
import { type UdpQuestion, UdpUpstream } from './udp.ts'

/** How a question goes out to a `dns` target; `tls` and `https` have one way. */
export type Channel = 'udp' | 'tcp'

export interface TransportSettings {
  /** Idle connections are kept this long. */
  readonly expire: Milliseconds
  /** Connections take questions for this long; 0: without end. */
  readonly maximumAge: Milliseconds
  /** TCP or TLS connections to a server. */
  readonly maximumConnections: number
  readonly dohMethod: DohMethod
  /** Addresses to send from, at most one a family. */
  readonly sources: readonly string[]
  readonly tls: SecureContextOptions & { readonly servername?: string }
}

export interface TransportOptions extends TransportSettings {
  readonly target: UpstreamTarget
  readonly clock: Clock
  readonly random: Random
  /** UDP by the system's own calls; absent: by node:dgram. */
  readonly datagrams?: Datagrams | undefined
  /** Told whether a question over a connection found one open. */
  readonly onReuse: (reused: boolean) => void
  /** Told of every message and what came back. */
  readonly tap: Pick<ExchangeTap, 'isWatched' | 'report'>
}

/** What is asked, how, and for how long. */
interface Asked {
  readonly question: UpstreamQuestion
  readonly channel: Channel
  readonly timeout: Milliseconds
}

const protocolNames: Readonly<Record<UpstreamProtocol, string>> = { dns: 'TCP', tls: 'TLS', https: 'HTTPS' }

export class Transport {
  readonly #options: TransportOptions
  readonly #source: string | undefined
  readonly #udp: UdpUpstream
  readonly #stream: StreamUpstream
  readonly #https: HttpsUpstream
  #keepsCase = true
  #takesEdns = true
  /** The last session of TLS, to take up again instead of a whole handshake (RFC 8446 §2.2). */
  #session: Buffer | undefined

  constructor(options: TransportOptions) {
    this.#options = options
    const { target, tls, sources, expire: idle, dohMethod: method } = options
    const { address, port, protocol, serverName, path } = target
    const isV6 = address.includes(':')
    this.#source = sources.find(source => source.includes(':') === isV6)
    const route = protocol === 'dns' ? options.datagrams?.towards(address, port, this.#source) : undefined
    this.#udp = new UdpUpstream({ ...options, address, port, source: this.#source, route })
    const description = `${address}#${port} over ${protocolNames[protocol]}`
    this.#stream = new StreamUpstream({ ...options, description, idle, open: onReady => this.#open(onReady) })
    const host = serverName ?? tls.servername ?? (isV6 ? `[${address}]` : address)
    const authority = `${host}:${port}`
    const open = () => this.#openTls(['h2'])
    this.#https = new HttpsUpstream({ ...options, description, idle, open, authority, path, method })
  }

  close(): void {
    this.#udp.close()
    this.#stream.close()
    this.#https.close()
  }

  /** `outcome`: an ExchangeError where there is no reply. */
  ask(question: UpstreamQuestion, channel: Channel, timeout: Milliseconds, outcome: Outcome<ResponseMessage>): void {
    const edns = this.#takesEdns
    // Nearly all questions.
    if (this.#isUdp(channel)) {
      this.#askUdp(question, timeout, edns, outcome)
      return
    }
    const asked = { question, channel, timeout }
    settle(
      this.#exchange(asked, edns).then(response => this.#judge(response, asked, edns)),
      outcome,
    )
  }

  #isUdp(channel: Channel): boolean {
    return channel === 'udp' && this.#options.target.protocol === 'dns'
  }

  #exchange(asked: Asked, edns: boolean): Promise<ResponseMessage> {
    const { question, channel, timeout } = asked
    if (this.#options.target.protocol === 'https') return this.#overHttps(question, timeout)
    if (this.#isUdp(channel)) return promised(outcome => this.#askUdp(question, timeout, edns, outcome))
    return this.#overStream(question, timeout, edns)
  }

  /** `edns`: whether OPT was sent. */
  #judge(response: ResponseMessage, asked: Asked, edns: boolean): MaybePromise<ResponseMessage> {
    // RFC 6891 §7: a server that does not know EDNS says FORMERR (some: NOTIMP) without OPT; ask again without.
    const choked = response.rcode === rcodes.FORMERR || response.rcode === rcodes.NOTIMP
    if (!choked || response.edns || !edns) return response
    return this.#exchange(asked, false).then(plain => {
      // One that says the same without OPT did not mind the OPT but the question.
      if (plain.rcode !== response.rcode) this.#takesEdns = false
      return plain
    })
  }

  /** What is replied has been judged. */
  #askUdp(question: UpstreamQuestion, timeout: Milliseconds, edns: boolean, outcome: Outcome<ResponseMessage>): void {
    const style = this.#keepsCase ? styles.mixed : styles.plain
    const packet = composeMessage(question, edns ? style.edns : style.bare, this.#options.random)
    const asked = new AskedByUdp(this.#udpReplies, { question, timeout, edns, packet, outcome })
    if (this.#options.tap.isWatched) asked.told = this.#options.clock.monotonic()
    this.#udp.exchange(asked, timeout)
  }

  readonly #udpReplies: UdpReplies = {
    replied: (asked, reply) => {
      this.#report(asked, reply)
      const decoded = asked.wrongCase ? undefined : decodeReply(reply)
      settle(decoded ? this.#judge(decoded, asked, asked.edns) : this.#askByStream(asked, reply), asked.outcome)
    },
    failed: (asked, error) => {
      const { question, timeout, edns, outcome } = asked
      this.#report(asked)
      // Out of sockets: a connection that is there needs none.
      if (!isLocal(error) || !this.#stream.isOpen) outcome.failed(error)
      else
        settle(
          this.#overStream(question, timeout, edns).then(response => this.#judge(response, asked, edns)),
          outcome,
        )
    },
  }

  /** What the reply over UDP does not tell. */
  async #askByStream(asked: AskedByUdp, reply: Buffer): Promise<ResponseMessage> {
    const { question, timeout, edns, packet } = asked
    if (asked.wrongCase) return this.#judge(await this.#askOfCase(packet, timeout), asked, edns)
    // Some cut their datagrams in the middle of a record. Over TCP there is nothing to cut.
    if (!(reply.readUInt16BE(2) & flags.truncated)) throw this.#malformed()
    return this.#judge(await this.#overStream(question, timeout, edns), asked, edns)
  }

  #report({ packet: query, told: sent }: AskedByUdp, response?: Buffer): void {
    if (sent === undefined) return
    const { clock, target, tap } = this.#options
    const known = { transport: 'udp', address: target.address, port: target.port, query, sent } as const
    tap.report(response ? { ...known, response, received: clock.monotonic() } : known)
  }

  /** The reply to a name in other letters may be forged: the same bytes over TCP tell whether that is the server's way. */
  async #askOfCase(packet: Buffer, timeout: Milliseconds): Promise<ResponseMessage> {
    const reply = await this.#askStream(packet, timeout)
    if (checkReply(packet, reply) === 'wrong-case') this.#keepsCase = false
    return this.#decode(reply)
  }

  async #overStream(question: UpstreamQuestion, timeout: Milliseconds, edns: boolean): Promise<ResponseMessage> {
    const padded = this.#options.target.protocol === 'tls'
    const packet = composeMessage(question, { mixedCase: false, edns, keepalive: true, padded }, this.#options.random)
    const response = this.#decode(await this.#askStream(packet, timeout))
    const keepalive = response.edns && findOption(response.edns, ednsOptionCodes.KEEPALIVE)
    // RFC 7828 §3.1: units of 100 ms.
    if (keepalive?.data.length === 2) this.#stream.keepIdle(keepalive.data.readUInt16BE(0) * 100)
    return response
  }

  async #overHttps(question: UpstreamQuestion, timeout: Milliseconds): Promise<ResponseMessage> {
    const style = { mixedCase: false, edns: true, keepalive: false, padded: true }
    const sent = composeMessage(question, style, this.#options.random)
    // RFC 8484 §4.1: "SHOULD use a DNS ID of 0", for the caches between.
    sent.writeUInt16BE(0, 0)
    let age = 0
    const exchange = this.#https.exchange(sent, timeout).then(reply => {
      age = reply.age
      return reply.packet
    })
    const packet = await this.#tell('https', sent, exchange)
    if (checkReply(sent, packet) === 'foreign') throw this.#malformed()
    const response = this.#decode(packet)
    return age === 0 ? response : aged(response, age)
  }

  #askStream(packet: Buffer, timeout: Milliseconds): Promise<Buffer> {
    const transport = this.#options.target.protocol === 'tls' ? 'tls' : 'tcp'
    return this.#tell(transport, packet, this.#stream.exchange(packet, isOurs(packet), timeout))
  }

  /** The reply, after both messages have been told as they were on the wire, if anybody wants to know of them. */
  #tell(transport: QueryTransport, query: Buffer, exchange: Promise<Buffer>): Promise<Buffer> {
    const { clock, target, tap } = this.#options
    if (!tap.isWatched) return exchange
    const sent = clock.monotonic()
    const known = { transport, address: target.address, port: target.port, query, sent }
    return exchange.then(
      response => {
        tap.report({ ...known, response, received: clock.monotonic() })
        return response
      },
      error => {
        tap.report(known)
        throw error
      },
    )
  }

  #decode(reply: Buffer): ResponseMessage {
    const decoded = decodeReply(reply)
    if (!decoded) throw this.#malformed()
    return decoded
  }

  #malformed(): ExchangeError {
    return new ExchangeError('closed', `${targetLabel(this.#options.target)} sent a malformed reply`)
  }

  #open(onReady: () => void) {
    const { address: host, port, protocol } = this.#options.target
    if (protocol === 'tls') return this.#openTls([], onReady)
    return connectTcp({ host, port, ...(this.#source !== undefined && { localAddress: this.#source }) }, onReady)
  }

  #openTls(protocols: readonly string[], onReady?: () => void): TLSSocket {
    const { target, tls } = this.#options
    const servername = target.serverName ?? tls.servername
    const socket = nodeTls().connect(
      {
        ...tls,
        host: target.address,
        port: target.port,
        minVersion: 'TLSv1.2',
        ...(this.#source !== undefined && { localAddress: this.#source }),
        ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
        ...(servername !== undefined && { servername }),
        ...(this.#session && { session: this.#session }),
      },
      onReady,
    )
    socket.on('session', session => {
      this.#session = session
    })
    return socket
  }
}

const isOurs =
  (packet: Buffer) =>
  (reply: Buffer): boolean =>
    checkReply(packet, reply) !== 'foreign'

/** Undefined: it is malformed. */
const decodeReply = (reply: Buffer): ResponseMessage | undefined => {
  unmixReply(reply)
  const decoded = decodeResponse(reply)
  return decoded.ok ? decoded.value : undefined
}

/** RFC 8484 §5.1: the client accounts for the age of the response. */
const aged = (response: ResponseMessage, age: number): ResponseMessage => {
  const older = (records: readonly ResourceRecord[]) =>
    records.map(record => ({ ...record, ttl: Math.max(0, record.ttl - age) }))
  const { answers, authority, additional } = response
  return { ...response, answers: older(answers), authority: older(authority), additional: older(additional) }
}

const styles = {
  mixed: {
    edns: { mixedCase: true, edns: true, keepalive: false, padded: false },
    bare: { mixedCase: true, edns: false, keepalive: false, padded: false },
  },
  plain: {
    edns: { mixedCase: false, edns: true, keepalive: false, padded: false },
    bare: { mixedCase: false, edns: false, keepalive: false, padded: false },
  },
} as const

/** A bug of those who are told of the reply is told to who asked. */
const settle = <Value>(value: MaybePromise<Value>, outcome: Outcome<Value>): void => {
  if (value instanceof Promise) value.then(known => outcome.replied(known)).catch(error => outcome.failed(error))
  else outcome.replied(value)
}

interface UdpReplies {
  readonly replied: (asked: AskedByUdp, reply: Buffer) => void
  readonly failed: (asked: AskedByUdp, error: unknown) => void
}

/** One object for all that a question over UDP needs on its way. */
class AskedByUdp implements Asked, UdpQuestion {
  readonly question: UpstreamQuestion
  readonly channel = 'udp'
  readonly timeout: Milliseconds
  /** Whether OPT was sent. */
  readonly edns: boolean
  readonly packet: Buffer
  readonly outcome: Outcome<ResponseMessage>
  asked: Milliseconds = 0
  deadline: Milliseconds = 0
  /** When it went out, if anybody wants to know. */
  told: Milliseconds | undefined
  /** Whether the reply has the name in other letters. */
  wrongCase = false
  readonly #replies: UdpReplies

  constructor(replies: UdpReplies, known: Pick<AskedByUdp, 'question' | 'timeout' | 'edns' | 'packet' | 'outcome'>) {
    this.#replies = replies
    this.question = known.question
    this.timeout = known.timeout
    this.edns = known.edns
    this.packet = known.packet
    this.outcome = known.outcome
  }

  accepts(reply: Buffer): boolean {
    const check = checkReply(this.packet, reply)
    this.wrongCase = check === 'wrong-case'
    return check !== 'foreign'
  }

  replied(reply: Buffer): void {
    try {
      this.#replies.replied(this, reply)
    } catch (error) {
      // A bug: no socket's event is to hear of it.
      this.outcome.failed(error)
    }
  }

  failed(error: unknown): void {
    try {
      this.#replies.failed(this, error)
    } catch (bug) {
      this.outcome.failed(bug)
    }
  }
}
