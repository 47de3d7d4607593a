/** What kubelets may ask a certificate for, in Kubernetes's words for what they may not. */
import type { CertificateRequestFacts } from '#cluster/pki/certificate-request.ts'

const NODE_PREFIX = 'system:node:'
const NODES = 'system:nodes'

const sameSet = (usages: readonly string[], wanted: readonly string[]): boolean =>
  new Set(usages).size === wanted.length && wanted.every(usage => usages.includes(usage))

/** Keys other than RSA's encipher nothing. */
const fits = (usages: readonly string[], purpose: 'client auth' | 'server auth'): boolean =>
  sameSet(usages, ['digital signature', purpose]) || sameSet(usages, ['digital signature', 'key encipherment', purpose])

const subjectProblem = ({ organizations, commonName }: CertificateRequestFacts): string | undefined => {
  if (organizations.length !== 1 || organizations[0] !== NODES) return 'subject organization is not system:nodes'
  return commonName.startsWith(NODE_PREFIX) ? undefined : 'subject common name does not begin with system:node:'
}

/** Undefined: nothing against it. */
export const clientProblem = (facts: CertificateRequestFacts, usages: readonly string[]): string | undefined => {
  if (facts.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (facts.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed'
  const problem = subjectProblem(facts)
  if (problem !== undefined) return problem
  return fits(usages, 'client auth')
    ? undefined
    : 'usages did not match [client auth digital signature key encipherment]'
}

export const servingProblem = (facts: CertificateRequestFacts, usages: readonly string[]): string | undefined => {
  if (facts.dnsNames.length + facts.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed'
  const problem = subjectProblem(facts)
  if (problem !== undefined) return problem
  return fits(usages, 'server auth')
    ? undefined
    : 'usages did not match [digital signature key encipherment server auth]'
}
