/**
 * Issues certificates (RFC 5280). The package that writes them is loaded with the first one: a start that finds all
 * certificates in place does without it.
 */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type * as X509 from '@peculiar/x509'
import type { Milliseconds } from '#lib/clock.ts'
import type { KeyPair } from './key.ts'
import { loadX509 } from './load-x509.ts'

export const DAY: Milliseconds = 86_400_000
/** As kubeadm's. */
const AUTHORITY_LIFETIME: Milliseconds = 3_650 * DAY
/** As kubeadm's. */
export const CERTIFICATE_LIFETIME: Milliseconds = 365 * DAY
/** Certificates begin a little in the past, for machines whose clocks are behind (kubeadm's value). */
export const BACKDATE: Milliseconds = 300_000

export interface Subject {
  /** The CN: the user of a client certificate. */
  readonly commonName: string
  /** The O's: its groups. */
  readonly organizations: readonly string[]
}

export interface Authority {
  readonly key: KeyPair
  readonly certificate: X509Certificate
}

export interface CertificateRequest {
  readonly subject: Subject
  readonly key: KeyPair
  readonly purpose: 'client' | 'server'
  /** Host names and IP addresses that the certificate is good for. Empty for clients. */
  readonly names: readonly string[]
}

const distinguishedName = ({ commonName, organizations }: Subject): X509.JsonName => [
  ...organizations.map(organization => ({ O: [organization] })),
  { CN: [commonName] },
]

/** A certificate for `key`, signed by itself, that may sign others. */
export const issueAuthority = async (key: KeyPair, commonName: string, now: Milliseconds): Promise<string> => {
  const x509 = await loadX509()
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: distinguishedName({ commonName, organizations: [] }),
    keys: { privateKey: key.privateKey, publicKey: key.publicKey },
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + AUTHORITY_LIFETIME),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      // RFC 5280 §4.2.1.9: critical in every CA certificate.
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature | keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** A certificate signed by `authority`, which it never outlives. PEM. */
export const issueCertificate = async (
  authority: Authority,
  { subject, key, purpose, names }: CertificateRequest,
  now: Milliseconds,
): Promise<string> => {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage
  const extensions: X509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([purpose === 'client' ? clientAuth : serverAuth]),
    await x509.AuthorityKeyIdentifierExtension.create(authority.key.publicKey),
    await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
  ]
  if (names.length > 0) {
    const alternatives = names.map(name => ({ type: isIP(name) ? 'ip' : 'dns', value: name }) as const)
    extensions.push(new x509.SubjectAlternativeNameExtension(alternatives))
  }
  const certificate = await x509.X509CertificateGenerator.create({
    subject: distinguishedName(subject),
    issuer: issuer.subjectName,
    publicKey: key.publicKey,
    signingKey: authority.key.privateKey,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(Math.min(now + CERTIFICATE_LIFETIME, issuer.notAfter.getTime())),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions,
  })
  return `${certificate.toString('pem')}\n`
}

/** Undefined when `pem` is not a certificate. */
export const readCertificate = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
