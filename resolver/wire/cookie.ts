/**
 * DNS cookies, the server's side (RFC 7873, RFC 9018): a client that sends its cookie gets it back with one that only
 * this server can make and only for this client's address, so that neither takes a stranger's packets for the other's.
 *
 * No client is made to have one: answers are the same without (RFC 7873 §5.2.3 leaves it to policy).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { ednsOptionCodes } from './codes.ts'
import type { EdnsOption } from './edns.ts'
import { writeSipHash } from './siphash.ts'

export const CLIENT_COOKIE_LENGTH = 8
/** RFC 9018 §4: version, reserved, timestamp (8 bytes), hash. */
const SERVER_COOKIE_LENGTH = 16
const HEAD_LENGTH = 8
/** Bytes of the option that this server sends: both cookies. */
export const COOKIE_LENGTH = CLIENT_COOKIE_LENGTH + SERVER_COOKIE_LENGTH
const VERSION = 1
const ADDRESS_AT = CLIENT_COOKIE_LENGTH + HEAD_LENGTH

/** RFC 9018 §4.3: a cookie is renewed after half an hour, good for an hour, and may be five minutes from the future. */
const RENEW_AFTER_SECONDS = 1800
const GOOD_FOR_SECONDS = 3600
const FUTURE_SECONDS = 300
/** RFC 7873 §7.1 wants a secret changed within 36 days; it costs nothing to do it daily. */
const SECRET_LIFETIME: Milliseconds = 24 * 3_600_000
const SECRET_LENGTH = 16

/** RFC 7873 §4: a client cookie of 8 bytes, alone or with a server cookie of 8 to 32. */
export const isCookieLength = (length: number): boolean =>
  length === CLIENT_COOKIE_LENGTH || (length >= CLIENT_COOKIE_LENGTH + 8 && length <= CLIENT_COOKIE_LENGTH + 32)

/** A secret from which the daily ones are made. */
export const newCookieSecret = (random: Random): Buffer =>
  Buffer.from(Array.from({ length: SECRET_LENGTH }, () => random.integer(256)))

export interface CookieJarOptions {
  /** All threads that have the secret must agree on its monotonic scale. */
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** 16 bytes: whoever has them makes the same cookies at the same time. */
  readonly secret: Buffer
}

export class ServerCookies {
  readonly secret: Buffer
  readonly #clock: CookieJarOptions['clock']
  readonly #daily = Buffer.alloc(SECRET_LENGTH)
  #day = Number.NEGATIVE_INFINITY
  /** What is hashed (RFC 9018 §4.4): client cookie, head, address; and room for padding. */
  readonly #message = Buffer.alloc(ADDRESS_AT + 16 + 8)

  constructor({ clock, secret }: CookieJarOptions) {
    this.#clock = clock
    this.secret = secret
  }

  /** The option for a client that sent `cookie` (of a length that `isCookieLength` takes) from `address`: 4 or 16 bytes. */
  reply(cookie: Buffer, address: Buffer): EdnsOption {
    const data = Buffer.alloc(COOKIE_LENGTH)
    this.write(cookie, 0, cookie.length, address, 0, address.length, data, 0)
    return { code: ednsOptionCodes.COOKIE, data }
  }

  /**
   * The same, written to `to` at `end`: 24 bytes, and nothing new is made. The client's cookie has `length` bytes of
   * `asked` from `at` on; its address has 4 or 16 of `client`.
   */
  write(
    asked: Buffer,
    at: number,
    length: number,
    client: Buffer,
    clientAt: number,
    clientLength: number,
    to: Buffer,
    end: number,
  ): void {
    const message = this.#message
    const secret = this.#dailySecret()
    const seconds = this.#seconds()
    copy(client, clientAt, message, ADDRESS_AT, clientLength)
    const hashAt = end + ADDRESS_AT
    if (isWithin(RENEW_AFTER_SECONDS, asked, at, length, seconds)) {
      copy(asked, at, message, 0, ADDRESS_AT)
      copy(message, 0, to, end, ADDRESS_AT)
      writeSipHash(secret, message, ADDRESS_AT + clientLength, to, hashAt)
      // RFC 9018 §4.3: one that is ours and young goes back as it came.
      if (isSame(asked, at + ADDRESS_AT, to, hashAt)) return
    }
    copy(asked, at, message, 0, CLIENT_COOKIE_LENGTH)
    message.writeUInt32BE(VERSION << 24, CLIENT_COOKIE_LENGTH)
    message.writeUInt32BE(seconds % 0x1_0000_0000, CLIENT_COOKIE_LENGTH + 4)
    copy(message, 0, to, end, ADDRESS_AT)
    writeSipHash(secret, message, ADDRESS_AT + clientLength, to, hashAt)
  }

  /**
   * Whether a client at `address` (4 or 16 bytes) has `cookie` from this server, and for no longer than an hour. One of a
   * secret that has just been changed is still good (RFC 9018 §5); `write` renews it.
   */
  accepts(cookie: Buffer, address: Buffer): boolean {
    if (!isWithin(GOOD_FOR_SECONDS, cookie, 0, cookie.length, this.#seconds())) return false
    const message = this.#message
    copy(cookie, 0, message, 0, ADDRESS_AT)
    copy(address, 0, message, ADDRESS_AT, address.length)
    const secret = Buffer.alloc(SECRET_LENGTH)
    const hash = Buffer.alloc(8)
    const today = this.#today()
    return [today, today - 1].some(day => {
      this.#writeSecret(day, secret)
      writeSipHash(secret, message, ADDRESS_AT + address.length, hash, 0)
      return isSame(cookie, ADDRESS_AT, hash, 0)
    })
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000)
  }

  #today(): number {
    return Math.floor(this.#clock.monotonic() / SECRET_LIFETIME)
  }

  /** Follows from the day alone, so that threads need not tell each other. Cookies of yesterday are renewed like old ones. */
  #dailySecret(): Buffer {
    const day = this.#today()
    if (day !== this.#day) {
      this.#day = day
      this.#writeSecret(day, this.#daily)
    }
    return this.#daily
  }

  #writeSecret(day: number, to: Buffer): void {
    const message = Buffer.alloc(16 + 8)
    message.writeInt32LE(day, 0)
    for (const half of [0, 8]) {
      message[15] = half
      writeSipHash(this.secret, message, 16, to, half)
    }
  }
}

/** Whether it is a cookie of the form that this server makes, and no older than `maximum` seconds. */
const isWithin = (maximum: number, cookie: Buffer, at: number, length: number, seconds: number): boolean => {
  if (length !== COOKIE_LENGTH || cookie[at + CLIENT_COOKIE_LENGTH] !== VERSION) return false
  // RFC 1982: a timestamp of 32 bits, compared by its distance.
  const age = (seconds - cookie.readUInt32BE(at + CLIENT_COOKIE_LENGTH + 4)) | 0
  return age <= maximum && age >= -FUTURE_SECONDS
}

/** Quicker than `Buffer.copy` for so few. */
const copy = (from: Buffer, at: number, to: Buffer, end: number, length: number): void => {
  for (let index = 0; index < length; index++) to[end + index] = from[at + index]!
}

/** Eight bytes, in the same time whatever they are. */
const isSame = (one: Buffer, at: number, other: Buffer, otherAt: number): boolean =>
  ((one.readInt32LE(at) ^ other.readInt32LE(otherAt)) | (one.readInt32LE(at + 4) ^ other.readInt32LE(otherAt + 4))) ===
  0
