/**
 * DNS cookies, the server's side (RFC 7873, RFC 9018): a client that sends its cookie gets it back with one that only
 * this server can make and only for this client's address, so that neither takes a stranger's packets for the other's.
 *
 * No client is made to have one: answers are the same without (RFC 7873 §5.2.3 leaves it to policy).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { EdnsOption } from '../query.ts'
import { addressData, addressKey } from '../zone/address.ts'
import { ednsOptionCodes } from './codes.ts'
import { sipHash } from './siphash.ts'

const CLIENT_COOKIE_LENGTH = 8
/** RFC 9018 §4: version, reserved, timestamp, hash. */
const SERVER_COOKIE_LENGTH = 16
const VERSION = 1

/** RFC 9018 §4.3: a cookie is renewed after half an hour, and may be five minutes from the future. */
const RENEW_AFTER_SECONDS = 1800
const FUTURE_SECONDS = 300
/** RFC 7873 §7.1 wants a secret changed within 36 days; it costs nothing to do it daily. */
const SECRET_LIFETIME: Milliseconds = 24 * 3_600_000

/** RFC 7873 §4: a client cookie of 8 bytes, alone or with a server cookie of 8 to 32. */
export const isCookieLength = (length: number): boolean =>
  length === CLIENT_COOKIE_LENGTH || (length >= CLIENT_COOKIE_LENGTH + 8 && length <= CLIENT_COOKIE_LENGTH + 32)

export class ServerCookies {
  readonly #clock: Clock
  readonly #random: Random
  #secret = Buffer.alloc(0)
  #secretMade: Milliseconds = Number.NEGATIVE_INFINITY

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** The option for a client that sent `cookie` (of a length that `isCookieLength` takes) from `address`. */
  reply(cookie: Buffer, address: string): EdnsOption {
    const client = cookie.subarray(0, CLIENT_COOKIE_LENGTH)
    const server = cookie.subarray(CLIENT_COOKIE_LENGTH)
    const secret = this.#currentSecret()
    const seconds = Math.floor(this.#clock.now() / 1000)
    const data = isYoung(server, seconds)
      ? makeCookie({ client, address, secret, head: server.subarray(0, 8) })
      : undefined
    // RFC 9018 §4.3: one that is ours and young goes back as it came.
    if (data?.equals(cookie)) return { code: ednsOptionCodes.COOKIE, data }
    const head = Buffer.from([VERSION, 0, 0, 0, 0, 0, 0, 0])
    head.writeUInt32BE(seconds % 0x1_0000_0000, 4)
    return { code: ednsOptionCodes.COOKIE, data: makeCookie({ client, address, secret, head }) }
  }

  /** Cookies by a secret of before are renewed like old ones. */
  #currentSecret(): Buffer {
    const now = this.#clock.monotonic()
    if (now - this.#secretMade >= SECRET_LIFETIME) {
      this.#secret = Buffer.from(Array.from({ length: 16 }, () => this.#random.integer(256)))
      this.#secretMade = now
    }
    return this.#secret
  }
}

const isYoung = (server: Buffer, seconds: number): boolean => {
  if (server.length !== SERVER_COOKIE_LENGTH || server[0] !== VERSION) return false
  // RFC 1982: a timestamp of 32 bits, compared by its distance.
  const age = (seconds - server.readUInt32BE(4)) | 0
  return age <= RENEW_AFTER_SECONDS && age >= -FUTURE_SECONDS
}

export interface CookieParts {
  readonly client: Buffer
  /** The client's address. */
  readonly address: string
  /** 16 bytes. */
  readonly secret: Buffer
  /** Version, reserved bytes and timestamp of the server cookie: 8 bytes. */
  readonly head: Buffer
}

/** Client cookie and server cookie (RFC 9018 §4.4). */
export const makeCookie = ({ client, address, secret, head }: CookieParts): Buffer => {
  const key = addressKey(address.replace(/%.*$/, '')) ?? '0.0.0.0'
  return Buffer.concat([client, head, sipHash(secret, Buffer.concat([client, head, addressData(key)]))])
}
