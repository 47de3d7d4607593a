/** The user that a verified client certificate names: CN is the user, O the groups. */
import type { TLSSocket } from 'node:tls'
import { identityOfCertificate } from '#cluster/pki/identity.ts'
import { AUTHENTICATED, type Authenticator, type User } from '../authenticator.ts'
import { socketOf } from '../http/exchange.ts'

const inspect = (socket: TLSSocket): User | 'none' | 'invalid' => {
  const certificate = socket.getPeerCertificate()
  if (!certificate || Object.keys(certificate).length === 0) return 'none'
  if (!socket.authorized) return 'invalid'
  const identity = identityOfCertificate(certificate)
  return identity ? { name: identity.user, groups: [...identity.groups, AUTHENTICATED] } : 'invalid'
}

/** Looks at each connection once: reading a certificate costs more than answering a request. */
export const createClientCertificateAuthenticator = (): Authenticator => {
  const known = new WeakMap<TLSSocket, User | 'none' | 'invalid'>()
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
