/**
 * The cluster's CA, the apiserver's certificate, and kubeconfigs for people and programs, kept in the data directory:
 *
 *     pki/ca.key  pki/ca.crt                  made once, never changed
 *     pki/apiserver.key  pki/apiserver.crt    the certificate is issued again for other names, or near its end
 *     pki/front-proxy-ca.*  pki/front-proxy-client.*   by which extension servers know the apiserver
 *     pki/sa.key                              signs the tokens of service accounts; made once
 *     admin.kubeconfig                        full rights
 *     kubeconfigs/NAME.kubeconfig             one a program; issued again near its end, rewritten for another address
 *
 * Promised: a directory that was left at any moment by kill -9 is completed by the next call; keys and kubeconfigs are
 * readable by their owner alone; a CA whose key and certificate do not fit is an error, never replaced.
 * Not promised: two processes at once (the store's lock keeps the second out), or a CA that renews itself.
 */
import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import { ensureAuthority, type PkiOptions, RENEWAL, usableCertificate } from './authority-files.ts'
import { type SigningRequest, signRequest } from './certificate-request.ts'
import { readIfThere, writeDurably } from './durable-file.ts'
import { ensureFrontProxy, type FrontProxy } from './front-proxy.ts'
import {
  ADMIN,
  type Identity,
  identityOfCertificate,
  type ProgramName,
  programIdentities,
  subjectOf,
} from './identity.ts'
import { type Authority, issueCertificate, readCertificate } from './issue.ts'
import { generateKey, type KeyPair, readKey } from './key.ts'
import { credentialsIn, kubeconfigWith } from './kubeconfig-file.ts'
import { coversExactly } from './serving-names.ts'

const AUTHORITY_NAME = 'seamark-ca'

export interface ServingCertificate {
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** When `serving` will issue another one. Milliseconds since the Unix epoch. */
  readonly renewal: Milliseconds
}

export interface KubeconfigTarget {
  /** `https://HOST:PORT`, as clients on this machine reach the apiserver. */
  readonly server: string
  /** The node whose kubelet gets an identity. */
  readonly nodeName: string
}

export interface KubeconfigPaths {
  readonly admin: string
  readonly programs: Readonly<Record<ProgramName, string>>
}

export interface Pki {
  /** PEM of the CA's certificate: what clients trust, and what the apiserver verifies client certificates by. */
  readonly authority: string
  /**
   * The apiserver's certificate for these names (`servingNames`). Call it again at `renewal` and give the result to
   * `setSecureContext`.
   * @throws SeamarkError DATA_DIR_UNUSABLE
   */
  serving(names: readonly string[]): Promise<ServingCertificate>
  /**
   * What signs the tokens of service accounts: another key ends all that are out.
   * @throws SeamarkError DATA_DIR_UNUSABLE
   */
  serviceAccountKey(): Promise<KeyPair>
  /**
   * By what extension servers know that a request comes from the apiserver, which has asked who sends it.
   * @throws SeamarkError DATA_DIR_UNUSABLE
   */
  frontProxy(): Promise<FrontProxy>
  /** PEM of a certificate for somebody else's key. Rejects where the request is none, or not signed by that key. */
  sign(request: SigningRequest): Promise<string>
  /**
   * Writes the kubeconfigs that are missing, point elsewhere, or are near their end; leaves the others untouched.
   * @throws SeamarkError DATA_DIR_UNUSABLE
   */
  writeKubeconfigs(target: KubeconfigTarget): Promise<KubeconfigPaths>
}

/**
 * Opens the directory's PKI, making the CA when there is none.
 * @throws SeamarkError DATA_DIR_UNUSABLE
 */
export const ensurePki = async (options: PkiOptions): Promise<Pki> => {
  const authority = await ensureAuthority({ name: 'ca', commonName: AUTHORITY_NAME }, options)
  return new DirectoryPki(authority, options)
}

class DirectoryPki implements Pki {
  readonly authority: string
  readonly #authority: Authority
  readonly #options: PkiOptions

  constructor(authority: Authority, options: PkiOptions) {
    this.authority = authority.certificate.toString()
    this.#authority = authority
    this.#options = options
  }

  async serving(names: readonly string[]): Promise<ServingCertificate> {
    const keyFile = join(this.#options.directory, 'pki', 'apiserver.key')
    const certificateFile = join(this.#options.directory, 'pki', 'apiserver.crt')
    let key = readKey((await readIfThere(keyFile)) ?? '')
    if (!key) {
      key = await generateKey()
      await writeDurably({ path: keyFile, content: key.pem, mode: 0o600 })
    }
    let pem = await readIfThere(certificateFile)
    let certificate = this.#usable(pem, key)
    if (!pem || !certificate || !coversExactly(certificate, names)) {
      const subject = { commonName: 'kube-apiserver', organizations: [] }
      pem = await this.#issue({ subject, key, purpose: 'server', names })
      certificate = readCertificate(pem) as X509Certificate
      await writeDurably({ path: certificateFile, content: pem, mode: 0o644 })
      this.#options.logger.info({ file: certificateFile, names }, 'issued the certificate of the apiserver')
    }
    return { certificate: pem, key: key.pem, renewal: certificate.validToDate.getTime() - RENEWAL }
  }

  async serviceAccountKey(): Promise<KeyPair> {
    const path = join(this.#options.directory, 'pki', 'sa.key')
    const stored = await readIfThere(path)
    const key = stored === undefined ? await generateKey() : readKey(stored)
    if (!key) throw new SeamarkError('DATA_DIR_UNUSABLE', `${path} holds no private key`)
    if (stored === undefined) await writeDurably({ path, content: key.pem, mode: 0o600 })
    return key
  }

  frontProxy(): Promise<FrontProxy> {
    return ensureFrontProxy(this.#options)
  }

  sign(request: SigningRequest): Promise<string> {
    return signRequest(this.#authority, request, this.#options.clock.now())
  }

  async writeKubeconfigs({ server, nodeName }: KubeconfigTarget): Promise<KubeconfigPaths> {
    const { directory } = this.#options
    const admin = join(directory, 'admin.kubeconfig')
    await this.#writeKubeconfig(admin, ADMIN, server)
    const programs: Record<string, string> = {}
    for (const [program, identity] of Object.entries<Identity>(programIdentities(nodeName))) {
      const path = join(directory, 'kubeconfigs', `${program}.kubeconfig`)
      await this.#writeKubeconfig(path, identity, server)
      programs[program] = path
    }
    return { admin, programs: programs as KubeconfigPaths['programs'] }
  }

  async #writeKubeconfig(path: string, identity: Identity, server: string): Promise<void> {
    const stored = await readIfThere(path)
    const held = credentialsIn(stored, identity.user)
    const key = readKey(held.key)
    const certificate = key && this.#usable(held.certificate, key)
    const kept = certificate && isDeepStrictEqual(identityOfCertificate(certificate.toLegacyObject()), identity)
    const credentials = kept ? held : await this.#newCredentials(identity)
    const content = kubeconfigWith(stored, { server, authority: this.authority, user: identity.user, ...credentials })
    if (content !== stored) await writeDurably({ path, content, mode: 0o600 })
  }

  async #newCredentials(identity: Identity): Promise<{ certificate: string; key: string }> {
    const key = await generateKey()
    const certificate = await this.#issue({ subject: subjectOf(identity), key, purpose: 'client', names: [] })
    return { certificate, key: key.pem }
  }

  #issue(request: Parameters<typeof issueCertificate>[1]): Promise<string> {
    return issueCertificate(this.#authority, request, this.#options.clock.now())
  }

  #usable(pem: string | undefined, key: KeyPair): X509Certificate | undefined {
    return usableCertificate(pem, key, this.#authority.certificate, this.#options.clock)
  }
}
