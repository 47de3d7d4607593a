/**
 * Tokens of service accounts: JSON Web Tokens (RFC 7519) that this cluster signs (ES256) and verifies, and what others
 * need to verify them (OpenID Connect Discovery 1.0). The package that does the work is loaded with the first token.
 *
 * Promised: `verify` says only that a token is ours and when it holds; whether what it is bound to is still there is the
 * authenticator's to ask each time.
 */
import { createHash, KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import type { KeyPair } from '#cluster/pki/key.ts'
import type { Clock } from '#lib/clock.ts'

export interface TokenIssuerOptions {
  /** The `iss` of tokens: `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer: string
  readonly key: KeyPair
  readonly clock: Clock
}

/** Verified tokens whose claims are remembered: a client shows the same one for an hour. */
const REMEMBERED = 4096

/** As Kubernetes: what clocks may differ by. Seconds. */
const LEEWAY = 60

const ALGORITHM = 'ES256'

/** RFC 7638 would do as well; Kubernetes takes the hash of the public key. */
const keyIdOf = (key: KeyPair): string =>
  createHash('sha256')
    .update(KeyObject.from(key.publicKey).export({ type: 'spki', format: 'der' }))
    .digest('base64url')

/** Whether the text could be a token of these issuers, read without any proof: what is another's is not verified here. */
const claimsIssuer = (token: string, issuers: readonly unknown[]): boolean => {
  const parts = token.split('.')
  if (parts.length !== 3) return false
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString())
    return typeof payload === 'object' && payload !== null && 'iss' in payload && issuers.includes(payload.iss)
  } catch {
    return false
  }
}

export class TokenIssuer {
  readonly issuer: string
  readonly #options: TokenIssuerOptions
  readonly #keyId: string
  readonly #verified = new LRUCache<string, JWTPayload>({ max: REMEMBERED })

  constructor(options: TokenIssuerOptions) {
    this.issuer = options.issuer
    this.#options = options
    this.#keyId = keyIdOf(options.key)
  }

  /** `claims`: all but the issuer, in seconds since the Unix epoch. */
  async sign(claims: JWTPayload, issuer = this.issuer): Promise<string> {
    const { SignJWT } = await import('jose')
    return new SignJWT({ ...claims, iss: issuer })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.#keyId })
      .sign(this.#options.key.privateKey)
  }

  /** The claims of a token that is ours and holds now; undefined for any other. `oldIssuer`: of tokens that are ours too. */
  async verify(token: string, oldIssuer: string): Promise<JWTPayload | undefined> {
    const known = this.#verified.get(token)
    const claims = known ?? (await this.#check(token, [this.issuer, oldIssuer]))
    if (!claims || (claims.iss !== this.issuer && claims.iss !== oldIssuer)) return undefined
    if (!known) this.#verified.set(token, claims)
    const now = this.#options.clock.now() / 1000
    if (claims.exp !== undefined && claims.exp + LEEWAY < now) return undefined
    return claims.nbf !== undefined && claims.nbf - LEEWAY > now ? undefined : claims
  }

  async #check(token: string, issuers: readonly string[]): Promise<JWTPayload | undefined> {
    if (!claimsIssuer(token, issuers)) return undefined
    const { compactVerify } = await import('jose')
    try {
      const { payload } = await compactVerify(token, this.#options.key.publicKey, { algorithms: [ALGORITHM] })
      return JSON.parse(Buffer.from(payload).toString()) as JWTPayload
    } catch {
      return undefined
    }
  }

  /** `/openid/v1/jwks`: RFC 7517. */
  async keys(): Promise<unknown> {
    const { exportJWK } = await import('jose')
    const { kty, crv, x, y } = await exportJWK(this.#options.key.publicKey)
    return { keys: [{ use: 'sig', kty, kid: this.#keyId, crv, alg: ALGORITHM, x, y }] }
  }

  /** `/.well-known/openid-configuration`. `keysAddress`: where `keys` is served. */
  configuration(keysAddress: string): unknown {
    return {
      issuer: this.issuer,
      jwks_uri: keysAddress,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
    }
  }
}
