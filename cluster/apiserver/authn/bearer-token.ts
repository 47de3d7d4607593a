/** `Authorization: Bearer …` (RFC 6750 §2.1), shown to every authenticator of tokens. */
import { type Authenticator, authenticateToken, type TokenAuthenticator } from '../authenticator.ts'
import { headerOf } from '../http/exchange.ts'

export const createBearerTokenAuthenticator = (authenticators: readonly TokenAuthenticator[]): Authenticator => ({
  name: 'bearer-token',
  authenticate(request) {
    const header = headerOf(request, 'authorization')
    const token = header && /^bearer\s+(\S+)\s*$/i.exec(header)?.[1]
    return token ? authenticateToken(authenticators, token) : 'none'
  },
})
