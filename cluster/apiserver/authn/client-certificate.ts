/** The user that a verified client certificate names: CN is the user, O the groups. */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { identityOfCertificate } from '#cluster/pki/identity.ts'
import { type Authenticator, authenticatedGroups, type Identified } from '../authenticator.ts'
import { socketOf } from '../http/exchange.ts'

/** By which one certificate of a user can be told from another (KEP-4193). */
const CREDENTIAL = 'authentication.kubernetes.io/credential-id'

const inspect = (socket: TLSSocket): Identified => {
  const certificate = socket.getPeerCertificate()
  if (!certificate || Object.keys(certificate).length === 0 || !socket.authorized) return 'none'
  const identity = identityOfCertificate(certificate)
  if (!identity) return 'none'
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex')
  return {
    name: identity.user,
    groups: authenticatedGroups(identity.groups),
    extra: { [CREDENTIAL]: [`X509SHA256=${fingerprint}`] },
  }
}

/** Looks at each connection once: reading a certificate costs more than answering a request. */
export const createClientCertificateAuthenticator = (): Authenticator => {
  const known = new WeakMap<TLSSocket, Identified>()
  return {
    name: 'client-certificate',
    authenticate(request) {
      const socket = socketOf(request)
      if (!socket) return 'none'
      const seen = known.get(socket)
      if (seen) return seen
      const verdict = inspect(socket)
      known.set(socket, verdict)
      return verdict
    },
  }
}
