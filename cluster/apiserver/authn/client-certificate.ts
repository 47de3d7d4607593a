/** The user that a verified client certificate names: CN is the user, O the groups. */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { identityOfCertificate } from '#cluster/pki/identity.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { type Authenticator, authenticatedGroups, type Identified } from '../authenticator.ts'
import { socketOf } from '../http/exchange.ts'
import { isForeignPage } from '../http/websocket-origin.ts'

/** By which one certificate of a user can be told from another (KEP-4193). */
const CREDENTIAL = 'authentication.kubernetes.io/credential-id'

interface Seen {
  readonly identified: Identified
  /** Milliseconds since the Unix epoch. */
  readonly until: Milliseconds
}

const NOBODY: Seen = { identified: 'none', until: Number.POSITIVE_INFINITY }

const inspect = (socket: TLSSocket): Seen => {
  const certificate = socket.getPeerCertificate()
  if (!certificate || Object.keys(certificate).length === 0 || !socket.authorized) return NOBODY
  const identity = identityOfCertificate(certificate)
  if (!identity) return NOBODY
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex')
  const identified = {
    name: identity.user,
    groups: authenticatedGroups(identity.groups),
    extra: { [CREDENTIAL]: [`X509SHA256=${fingerprint}`] },
  }
  return { identified, until: Date.parse(certificate.valid_to) }
}

/**
 * Looks at each connection once, for reading a certificate costs more than answering a request; and at the time with
 * every request: a connection may outlive the certificate that it began with.
 */
export const createClientCertificateAuthenticator = (clock: Clock): Authenticator => {
  const known = new WeakMap<TLSSocket, Seen>()
  return {
    name: 'client-certificate',
    authenticate(request) {
      const socket = socketOf(request)
      if (!socket || isForeignPage(request)) return 'none'
      const seen = known.get(socket) ?? inspect(socket)
      known.set(socket, seen)
      // A time that cannot be read has passed.
      return clock.now() <= seen.until ? seen.identified : 'none'
    },
  }
}
