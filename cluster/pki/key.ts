/** Private keys: EC P-256, as PKCS #8 PEM in files and as WebCrypto keys in use. */
import { createPrivateKey, createPublicKey, KeyObject, webcrypto, type X509Certificate } from 'node:crypto'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const

export interface KeyPair {
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
  /** PKCS #8 PEM of the private key. */
  readonly pem: string
}

export const generateKey = async (): Promise<KeyPair> => {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  return { privateKey, publicKey, pem: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }) as string }
}

/** Undefined when `pem` is not a private key on P-256. */
export const readKey = (pem: string): KeyPair | undefined => {
  try {
    const key = createPrivateKey(pem)
    return {
      privateKey: key.toCryptoKey(ALGORITHM, true, ['sign']),
      publicKey: createPublicKey(key).toCryptoKey(ALGORITHM, true, ['verify']),
      pem,
    }
  } catch {
    return undefined
  }
}

export const belongsTo = (key: KeyPair, certificate: X509Certificate): boolean =>
  certificate.checkPrivateKey(KeyObject.from(key.privateKey))
