/**
 * Who wrote the page that opens a websocket (RFC 6455 §10.2). A browser shows its reader's client certificate to any
 * server that asks, whoever's page it was that made it connect, and the rule of the same origin does not bind websockets:
 * a stranger's page would watch with its reader's rights.
 */
import { headerOf, type Request } from './exchange.ts'
import { asksForWebsocket } from './upgrade.ts'

/**
 * Programs name no origin. A proxy (`kubectl proxy`) says for whom it asks, which no page can, and has decided itself
 * whom it lends its certificate to.
 */
export const isForeignPage = (request: Request): boolean => {
  const origin = headerOf(request, 'origin')
  if (origin === undefined || !asksForWebsocket(request)) return false
  if (headerOf(request, 'x-forwarded-for') !== undefined) return false
  const own = URL.parse(`https://${headerOf(request, 'host') ?? ''}`)
  return own === null || URL.parse(origin)?.origin !== own.origin
}
