/** Certificate requests (PKCS #10) for tests. */
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export interface WantedCertificate {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly dnsNames?: readonly string[]
}

export interface MadeRequest {
  /** PEM. */
  readonly pem: string
  /** As spec.request has it. */
  readonly base64: string
  /** PEM, PKCS #8. */
  readonly key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export const makeRequest = async ({
  commonName,
  organizations = [],
  dnsNames = [],
}: WantedCertificate): Promise<MadeRequest> => {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const alternatives = dnsNames.map(value => ({ type: 'dns', value }) as const)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...organizations.map(organization => ({ O: [organization] })), { CN: [commonName] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : [],
  })
  const pem = `${request.toString('pem')}\n`
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
  return { pem, base64: Buffer.from(pem).toString('base64'), key }
}
