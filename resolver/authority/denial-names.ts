/** What names are looked up by in the chains of a signed zone. */
import { createHash } from 'node:crypto'
import { decodeBase32Hex } from '../wire/base32hex.ts'
import { encodeName, splitLabels } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

const escapeSeparators = (label: string): string => label.replaceAll('\x01', '\x01\x02').replaceAll('\0', '\x01\x01')

/**
 * Text that sorts as RFC 4034 §6.1 sorts names: by their labels from the right, each by its bytes. `name` is canonical.
 */
export const canonicalOrderKey = (name: DnsName): string => {
  const wire = encodeName(name)
  const labels: string[] = []
  for (let at = 0; wire[at] !== 0; at += 1 + wire[at]!)
    labels.push(escapeSeparators(wire.toString('latin1', at + 1, at + 1 + wire[at]!)))
  return labels.reverse().join('\0')
}

/** RFC 5155 §3.1.2–3.1.5: how the names of a chain were hashed. */
export interface HashParameters {
  readonly iterations: number
  readonly salt: Buffer
}

/** RFC 5155 §5: the hash of a canonical name, its bytes as latin1. SHA-1 is the only algorithm there is (§11). */
export const hashName = (name: DnsName, { iterations, salt }: HashParameters): string => {
  let hash: Buffer = encodeName(name)
  for (let count = 0; count <= iterations; count++) hash = createHash('sha1').update(hash).update(salt).digest()
  return hash.toString('latin1')
}

/** The hash in the owner name of an NSEC3, its bytes as latin1; undefined: there is none. */
export const hashOfOwner = (name: DnsName): string | undefined =>
  decodeBase32Hex(splitLabels(name)[0] ?? '')?.toString('latin1')
