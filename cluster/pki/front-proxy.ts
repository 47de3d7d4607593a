/**
 * How the apiserver shows extension servers that it is the apiserver: a certificate of an authority of its own, so that
 * nobody who has a certificate of the cluster can speak in another's name (kubernetes.io, "Configure the aggregation layer").
 */
import { join } from 'node:path'
import { ensureAuthority, type PkiOptions, usableCertificate } from './authority-files.ts'
import { readIfThere, writeDurably } from './durable-file.ts'
import { issueCertificate } from './issue.ts'
import { generateKey, readKey } from './key.ts'

export interface FrontProxy {
  /** PEM of the authority. */
  readonly authority: string
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
}

const AUTHORITY = { name: 'front-proxy-ca', commonName: 'front-proxy-ca' }
/** As kubeadm's; extension servers are told that they may trust it alone. */
export const FRONT_PROXY_CLIENT = 'front-proxy-client'

/** @throws SeamarkError DATA_DIR_UNUSABLE */
export const ensureFrontProxy = async (options: PkiOptions): Promise<FrontProxy> => {
  const authority = await ensureAuthority(AUTHORITY, options)
  const { directory, clock } = options
  const keyFile = join(directory, 'pki', `${FRONT_PROXY_CLIENT}.key`)
  const certificateFile = join(directory, 'pki', `${FRONT_PROXY_CLIENT}.crt`)
  let key = readKey((await readIfThere(keyFile)) ?? '')
  if (!key) {
    key = await generateKey()
    await writeDurably({ path: keyFile, content: key.pem, mode: 0o600 })
  }
  let pem = await readIfThere(certificateFile)
  if (!pem || !usableCertificate(pem, key, authority.certificate, clock)) {
    const subject = { commonName: FRONT_PROXY_CLIENT, organizations: [] }
    pem = await issueCertificate(authority, { subject, key, purpose: 'client', names: [] }, clock.now())
    await writeDurably({ path: certificateFile, content: pem, mode: 0o644 })
  }
  return { authority: authority.certificate.toString(), certificate: pem, key: key.pem }
}
