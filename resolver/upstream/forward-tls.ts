/** The TLS properties of `forward`: files for certificates, and the name that a server must prove. */
import type { SecureContextOptions } from 'node:tls'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Property, Word } from '../corefile/syntax.ts'

export interface ForwardTlsProperties {
  readonly tls: readonly Property[]
  readonly tls_servername: readonly Property[]
}

export const readForwardTls = (
  reader: DirectiveReader,
  { tls, tls_servername: names }: ForwardTlsProperties,
  read: (path: string) => Buffer,
): SecureContextOptions & { readonly servername?: string } => {
  const readWord = (word: Word): Buffer => {
    try {
      return read(word.text)
    } catch (error) {
      reader.refuse(word, `"${word.text}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return Buffer.alloc(0)
    }
  }
  const words = tls[0]?.arguments ?? []
  const [cert, key] = words.length >= 2 ? words : []
  const ca = words.length === 1 ? words[0] : words[2]
  const servername = names[0]?.arguments[0]?.text
  return {
    ...(cert && { cert: readWord(cert) }),
    ...(key && { key: readWord(key) }),
    ...(ca && { ca: readWord(ca) }),
    ...(servername !== undefined && { servername }),
  }
}
