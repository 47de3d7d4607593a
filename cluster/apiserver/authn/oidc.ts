/**
 * ID tokens of another identity provider (OpenID Connect Core 1.0 §2; Kubernetes: OpenID Connect Tokens): its keys are
 * found by discovery, when the first token comes, and looked up again when a token names a key that is not known.
 */
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { isObject } from '#cluster/api/own-property.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import { authenticatedGroups, type IdentifiedToken, type TokenAuthenticator } from '../authenticator.ts'
import { HttpsJson } from '../webhook/https-json.ts'

export interface OidcOptions {
  /** `https://…`: the `iss` of its tokens, and where discovery begins. */
  readonly issuer: string
  /** One of the `aud` of its tokens. */
  readonly clientId: string
  readonly usernameClaim: string
  /** Before the user's name, so that nobody calls themselves `system:…`; `-`: nothing. `''`: the issuer and `#`. */
  readonly usernamePrefix: string
  /** `''`: no groups. */
  readonly groupsClaim: string
  readonly groupsPrefix: string
  /** `claim=value`, with commas between; all must hold. */
  readonly requiredClaims: string
  /** RFC 7518 §3.1: names of those by which its tokens may be signed. */
  readonly signingAlgorithms: readonly string[]
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined
  readonly clock: Clock
  readonly logger: Logger
}

const TIMEOUT: Milliseconds = 10_000
/** Between two looks at the provider's keys: unknown ones must not make us ask all the time. */
const COOL_DOWN: Milliseconds = 10_000
/** RFC 7518 §3.1: signatures by keys that the provider alone has. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']

/** Comma-separated names of algorithms, as kube-apiserver takes them. @throws SeamarkError BAD_OPTION */
export const readSigningAlgorithms = (text: string): readonly string[] => {
  const names = text.split(',').map(name => name.trim())
  const unknown = names.find(name => !ASYMMETRIC.includes(name))
  if (unknown !== undefined)
    throw new SeamarkError('BAD_OPTION', `--oidc-signing-algs: "${unknown}" is none of ${ASYMMETRIC.join(', ')}`)
  return names
}

const issuerOf = (token: string): unknown => {
  try {
    return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iss?: unknown }).iss
  } catch {
    return undefined
  }
}

/** The provider's keys, as they were seen last. */
class ProviderKeys {
  readonly #options: OidcOptions
  #keys: JWTVerifyGetKey | undefined
  #seen: Milliseconds = Number.NEGATIVE_INFINITY

  constructor(options: OidcOptions) {
    this.#options = options
  }

  async get(anew: boolean): Promise<JWTVerifyGetKey | undefined> {
    const { clock } = this.#options
    const stale = this.#keys === undefined || anew
    if (!stale || clock.monotonic() - this.#seen < COOL_DOWN) return this.#keys
    this.#seen = clock.monotonic()
    this.#keys = await this.#discover()
    return this.#keys
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { issuer } = this.#options
    const configuration = await this.#fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    // Discovery §4.3: the document must be the issuer's own.
    if (!isObject(configuration) || configuration.issuer !== issuer) throw new Error('the issuer is another one')
    const { createLocalJWKSet } = await import('jose')
    return createLocalJWKSet((await this.#fetch(String(configuration.jwks_uri))) as never)
  }

  async #fetch(url: string): Promise<unknown> {
    const request = new HttpsJson({ url, ca: this.#options.ca, timeout: TIMEOUT })
    try {
      return await request.send()
    } finally {
      request.close()
    }
  }
}

const requiredOf = (text: string): readonly (readonly [string, string])[] =>
  text
    .split(',')
    .filter(pair => pair.includes('='))
    .map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)

const claimTexts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter(member => typeof member === 'string')

export const createOidcAuthenticator = (options: OidcOptions): TokenAuthenticator => {
  const { issuer, clientId, usernameClaim, groupsClaim, groupsPrefix, clock, logger } = options
  const keys = new ProviderKeys(options)
  const required = requiredOf(options.requiredClaims)
  // Kubernetes: e-mail addresses are unique as they are.
  const implied = usernameClaim === 'email' ? '' : `${issuer}#`
  const prefix = options.usernamePrefix === '-' ? '' : options.usernamePrefix || implied

  const userOf = (claims: JWTPayload): IdentifiedToken => {
    const [name] = claimTexts(claims[usernameClaim])
    // An address that nobody has proven to be theirs names nobody.
    const isUnproven = claims.email_verified !== undefined && claims.email_verified !== true
    if (!name || (usernameClaim === 'email' && isUnproven)) return 'none'
    if (!required.every(([claim, value]) => claims[claim] === value)) return 'none'
    const groups = groupsClaim === '' ? [] : claimTexts(claims[groupsClaim]).map(group => groupsPrefix + group)
    return { user: { name: prefix + name, groups: authenticatedGroups(groups) } }
  }

  const verify = async (token: string, anew: boolean): Promise<IdentifiedToken> => {
    const known = await keys.get(anew)
    if (!known) return 'none'
    const { jwtVerify, errors } = await import('jose')
    try {
      const currentDate = new Date(clock.now())
      const { payload } = await jwtVerify(token, known, {
        issuer,
        audience: clientId,
        algorithms: [...options.signingAlgorithms],
        requiredClaims: ['exp'],
        currentDate,
      })
      return userOf(payload)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey && !anew) return verify(token, true)
      return 'none'
    }
  }

  return {
    name: 'oidc',
    async authenticateToken(token) {
      if (issuerOf(token) !== issuer) return 'none'
      try {
        return await verify(token, false)
      } catch (error) {
        logger.warn({ error, issuer }, 'the identity provider does not answer')
        return 'none'
      }
    },
  }
}
