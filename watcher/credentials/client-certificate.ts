import type { Credentials } from '../credentials.ts'

/** PEM text that is there, or that a file gives each time. */
export interface PemSource {
  read(): Promise<string>
}

export const fixedPem = (text: string): PemSource => ({ read: async () => text })

/** A client certificate; from files it is read again each minute, and a changed one is presented on new connections. */
export const clientCertificate = (certificate: PemSource, key: PemSource): Credentials => ({
  headers: async () => ({}),
  keyPair: async () => ({ certificate: await certificate.read(), key: await key.read() }),
  refused: () => false,
})
