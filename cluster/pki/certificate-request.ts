/** Certificate requests (PKCS #10, RFC 2986) of others: read, and signed by the cluster's CA. */
import type * as X509 from '@peculiar/x509'
import type { Milliseconds } from '#lib/clock.ts'
import { type Authority, BACKDATE, CERTIFICATE_LIFETIME } from './issue.ts'
import { loadX509 } from './load-x509.ts'

export interface CertificateRequestFacts {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

export interface SigningRequest {
  /** PEM. */
  readonly request: string
  /** As certificates.k8s.io has them: `client auth`. */
  readonly usages: readonly string[]
  /** At most; undefined: a year. */
  readonly lifetime: Milliseconds | undefined
}

/** What makes certificates: `Pki` does. */
export interface CertificateSigner {
  sign(request: SigningRequest): Promise<string>
}

const BLOCK = /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----/

const alternativesOf = (x509: typeof X509, request: X509.Pkcs10CertificateRequest) =>
  request.extensions.flatMap(extension =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [],
  )

/** Undefined for what is no request, or not signed by its own key. */
export const readCertificateRequest = async (pem: string): Promise<CertificateRequestFacts | undefined> => {
  const block = BLOCK.exec(pem)?.[0]
  if (block === undefined) return undefined
  const x509 = await loadX509()
  try {
    const request = new x509.Pkcs10CertificateRequest(block)
    if (!(await request.verify())) return undefined
    const names = alternativesOf(x509, request)
    const ofType = (type: string) => names.filter(name => name.type === type).map(({ value }) => value)
    return {
      commonName: request.subjectName.getField('CN').at(-1) ?? '',
      organizations: request.subjectName.getField('O'),
      dnsNames: ofType('dns'),
      ipAddresses: ofType('ip'),
      emailAddresses: ofType('email'),
      uris: ofType('url'),
    }
  } catch {
    return undefined
  }
}

const KEY_USAGES: Readonly<Record<string, keyof typeof X509.KeyUsageFlags>> = {
  signing: 'digitalSignature',
  'digital signature': 'digitalSignature',
  'content commitment': 'nonRepudiation',
  'key encipherment': 'keyEncipherment',
  'key agreement': 'keyAgreement',
  'data encipherment': 'dataEncipherment',
  'cert sign': 'keyCertSign',
  'crl sign': 'cRLSign',
  'encipher only': 'encipherOnly',
  'decipher only': 'decipherOnly',
}

/** RFC 5280 §4.2.1.12, and those that others have defined. */
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

const usageExtensions = (x509: typeof X509, usages: readonly string[]): X509.Extension[] => {
  const flags = usages.reduce((sum, usage) => {
    const name = KEY_USAGES[usage]
    return name === undefined ? sum : sum | x509.KeyUsageFlags[name]
  }, 0)
  const extended = [...new Set(usages.flatMap(usage => EXTENDED_USAGES[usage] ?? []))]
  return [
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
  ]
}

/** PEM. Rejects for a request that is none, or that its key has not signed. The certificate never outlives the CA. */
export const signRequest = async (
  authority: Authority,
  { request: pem, usages, lifetime = CERTIFICATE_LIFETIME }: SigningRequest,
  now: Milliseconds,
): Promise<string> => {
  const x509 = await loadX509()
  const request = new x509.Pkcs10CertificateRequest(BLOCK.exec(pem)?.[0] ?? '')
  if (!(await request.verify())) throw new Error('the request is not signed by its own key')
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const alternatives = request.extensions.filter(extension => extension instanceof x509.SubjectAlternativeNameExtension)
  const until = now + Math.min(lifetime, CERTIFICATE_LIFETIME)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: authority.key.privateKey,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(Math.min(until, issuer.notAfter.getTime())),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...usageExtensions(x509, usages),
      await x509.AuthorityKeyIdentifierExtension.create(authority.key.publicKey),
      ...alternatives,
    ],
  })
  return `${certificate.toString('pem')}\n`
}
