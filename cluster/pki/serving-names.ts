/** The names that clients know the apiserver by. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

export interface ServingPlace {
  /** `cluster.local` */
  readonly clusterDomain: string
  /** The address of the Service `kubernetes`: the first one of the service range (10.96.0.1). */
  readonly serviceAddresses: readonly string[]
  /** What it listens on and what it is advertised as; host names too. Unspecified ones (0.0.0.0, ::, '') are left out. */
  readonly addresses: readonly string[]
}

/** As kubeadm's, plus the loopback names. Sorted, each once. */
export const servingNames = ({ clusterDomain, serviceAddresses, addresses }: ServingPlace): readonly string[] => {
  const listened = addresses.filter(address => address !== '' && address !== '0.0.0.0' && address !== '::')
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${clusterDomain}`,
    'localhost',
    '127.0.0.1',
    '::1',
    ...serviceAddresses,
    ...listened,
  ]
  return [...new Set(names)].sort()
}

/** Whether the certificate is good for these names and no others. */
export const coversExactly = (certificate: X509Certificate, names: readonly string[]): boolean => {
  const held = certificate.subjectAltName?.split(', ').length ?? 0
  return held === names.length && names.every(name => covers(certificate, name))
}

const covers = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never', wildcards: false })) !==
  undefined
