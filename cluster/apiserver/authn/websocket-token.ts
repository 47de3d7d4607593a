/**
 * A bearer token among the subprotocols of a websocket: a page in a browser can send no other header (Kubernetes:
 * base64url.bearer.authorization.k8s.io.TOKEN). It is good beside another protocol only: the server has to choose one.
 */
import { type Authenticator, authenticateToken, type TokenAuthenticator } from '../authenticator.ts'
import { headerOf } from '../http/exchange.ts'
import { asksForWebsocket } from '../http/upgrade.ts'
import { tokenOfProtocols } from '../http/websocket-protocols.ts'

export const createWebsocketTokenAuthenticator = (authenticators: readonly TokenAuthenticator[]): Authenticator => ({
  name: 'websocket-token',
  authenticate(request) {
    if (!asksForWebsocket(request)) return 'none'
    const token = tokenOfProtocols(headerOf(request, 'sec-websocket-protocol') ?? '')
    return token === undefined ? 'none' : authenticateToken(authenticators, token)
  },
})
