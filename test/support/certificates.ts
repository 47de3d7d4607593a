/** Certificates for tests, issued by the project's own pki code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Authority, issueAuthority, issueCertificate, readCertificate } from '#cluster/pki/issue.ts'
import { generateKey } from '#cluster/pki/key.ts'
import type { ClientAuth, TlsIdentity } from '#resolver/listener.ts'

/** PEM. */
export interface KeyedCertificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface TestAuthority {
  /** PEM. */
  readonly ca: Buffer
  /** A server's certificate, for 127.0.0.1 and dns.example. */
  readonly server: (commonName?: string) => Promise<KeyedCertificate>
  readonly client: () => Promise<KeyedCertificate>
}

export const makeAuthority = async (commonName = 'test-ca'): Promise<TestAuthority> => {
  const key = await generateKey()
  const pem = await issueAuthority(key, commonName, Date.now())
  const certificate = readCertificate(pem)
  if (!certificate) throw new Error('not a certificate')
  const authority: Authority = { key, certificate }
  const issue = async (subject: string, purpose: 'client' | 'server'): Promise<KeyedCertificate> => {
    const own = await generateKey()
    const names = purpose === 'server' ? ['dns.example', '127.0.0.1'] : []
    const request = { subject: { commonName: subject, organizations: [] }, key: own, purpose, names }
    const cert = await issueCertificate(authority, request, Date.now())
    return { cert: Buffer.from(cert), key: Buffer.from(own.pem) }
  }
  return {
    ca: Buffer.from(pem),
    server: (name = 'dns.example') => issue(name, 'server'),
    client: () => issue('client', 'client'),
  }
}

export const identityOf = (
  { cert, key }: KeyedCertificate,
  clientAuth: ClientAuth = 'nocert',
  ca?: Buffer,
): TlsIdentity => ({ clientAuth, credentials: { cert, key, ...(ca && { ca }) } })

/** Writes `cert.pem` and `key.pem` (and `ca.pem`). */
export const writeCertificate = (folder: string, { cert, key }: KeyedCertificate, ca?: Buffer): void => {
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  if (ca) writeFileSync(join(folder, 'ca.pem'), ca)
}
