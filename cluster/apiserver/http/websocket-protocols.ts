/** Subprotocols of a websocket (RFC 6455 §11.3.4), one of which may be a bearer token that is for this server alone. */

const TOKEN = 'base64url.bearer.authorization.k8s.io.'

const isToken = (protocol: string): boolean => protocol.startsWith(TOKEN)

const listOf = (header: string): readonly string[] =>
  header
    .split(',')
    .map(protocol => protocol.trim())
    .filter(protocol => protocol !== '')

/** Undefined: none, more than one, or one that is nothing's text; or no other protocol is offered. */
export const tokenOfProtocols = (header: string): string | undefined => {
  const protocols = listOf(header)
  const [encoded, ...more] = protocols.filter(isToken).map(protocol => protocol.slice(TOKEN.length))
  if (!encoded || more.length > 0 || protocols.length < 2 || !/^[\w-]+$/.test(encoded)) return undefined
  return Buffer.from(encoded, 'base64url').toString()
}

/** Those that are for whoever serves the connection. Undefined: none. */
export const otherProtocols = (header: string): string | undefined =>
  listOf(header)
    .filter(protocol => !isToken(protocol))
    .join(', ') || undefined
