/** Authorities in the data directory, and what may be used of what they have signed. */
import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import { readIfThere, writeDurably } from './durable-file.ts'
import { type Authority, DAY, issueAuthority, readCertificate } from './issue.ts'
import { belongsTo, generateKey, type KeyPair, readKey } from './key.ts'

/** With less left than this a certificate is issued again. */
export const RENEWAL: Milliseconds = 30 * DAY

export interface PkiOptions {
  /** The data directory. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}

const isDue = ({ validToDate }: X509Certificate, clock: Clock): boolean => validToDate.getTime() - clock.now() < RENEWAL

/**
 * The authority in `pki/NAME.key` and `pki/NAME.crt`, made when there is none.
 * @throws SeamarkError DATA_DIR_UNUSABLE
 */
export const ensureAuthority = async (
  { name, commonName }: { readonly name: string; readonly commonName: string },
  { directory, clock, logger }: PkiOptions,
): Promise<Authority> => {
  const keyFile = join(directory, 'pki', `${name}.key`)
  const certificateFile = join(directory, 'pki', `${name}.crt`)
  const storedKey = await readIfThere(keyFile)
  const storedCertificate = await readIfThere(certificateFile)
  if (storedCertificate !== undefined && storedKey === undefined) {
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${keyFile} is missing, and ${certificateFile} is of no use without it`)
  }
  const key = storedKey === undefined ? await generateKey() : readKey(storedKey)
  if (!key) throw new SeamarkError('DATA_DIR_UNUSABLE', `${keyFile} holds no private key`)
  // The key goes first: a key alone can still get its certificate, the reverse cannot.
  if (storedKey === undefined) await writeDurably({ path: keyFile, content: key.pem, mode: 0o600 })
  const pem = storedCertificate ?? (await issueAuthority(key, commonName, clock.now()))
  const certificate = readCertificate(pem)
  if (!certificate || !belongsTo(key, certificate)) {
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${certificateFile} is not the certificate of ${keyFile}`)
  }
  if (storedCertificate === undefined) {
    await writeDurably({ path: certificateFile, content: pem, mode: 0o644 })
    logger.info({ file: certificateFile }, 'made the certificate authority')
  } else if (isDue(certificate, clock)) {
    logger.warn({ file: certificateFile, end: certificate.validToDate }, 'the certificate authority is near its end')
  }
  return { key, certificate }
}

/** The certificate, if it is this key's, signed by the authority, and not near its end. */
export const usableCertificate = (
  pem: string | undefined,
  key: KeyPair,
  authority: X509Certificate,
  clock: Clock,
): X509Certificate | undefined => {
  const certificate = readCertificate(pem ?? '')
  const good =
    certificate &&
    belongsTo(key, certificate) &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    !isDue(certificate, clock)
  return good ? certificate : undefined
}
