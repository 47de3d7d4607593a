/** What others verify tokens of service accounts by: OpenID Connect Discovery 1.0 §4, RFC 7517. */
import { type Answer, jsonAnswer } from '../http/exchange.ts'
import type { PathRoute } from '../http/handler.ts'
import type { TokenIssuer } from './token-issuer.ts'

const CONFIGURATION = '/.well-known/openid-configuration'
const KEYS = '/openid/v1/jwks'

export const TOKEN_PATHS = [CONFIGURATION, KEYS] as const

/** An hour, as kube-apiserver's. */
const HEADERS = { 'cache-control': 'public, max-age=3600' }

const keysAnswer = async (issuer: TokenIssuer): Promise<Answer> => ({
  ...jsonAnswer(JSON.stringify(await issuer.keys()), { headers: HEADERS }),
  contentType: 'application/jwk-set+json',
})

/** `address`: HOST:PORT where this server is reached. */
export const tokenRoutes =
  (issuer: TokenIssuer, address: () => string): PathRoute =>
  pathname => {
    if (pathname === KEYS) return keysAnswer(issuer)
    if (pathname !== CONFIGURATION) return undefined
    const configuration = issuer.configuration(`https://${address()}${KEYS}`)
    return jsonAnswer(JSON.stringify(configuration), { headers: HEADERS })
  }
