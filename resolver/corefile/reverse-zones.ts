/**
 * Networks as the reverse zones that cover them: `10.0.0.0/8` → `10.in-addr.arpa.`, `fd00::/8` → `d.f.ip6.arpa.`
 * (RFC 1035 §3.5, RFC 3596 §2.5). A prefix that ends inside a label becomes the zones of the next full label:
 * `10.96.0.0/12` → 16 zones.
 */
import { parseNetwork } from './network.ts'

/** The zones of `text` when it is ADDRESS/PREFIX, else undefined. Bits behind the prefix are ignored. */
export const reverseZonesOf = (text: string): string[] | undefined => {
  const network = parseNetwork(text)
  if (!network) return undefined
  const [address, prefix] = network
  const bitsPerLabel = address.kind() === 'ipv4' ? 8 : 4
  const suffix = address.kind() === 'ipv4' ? 'in-addr.arpa.' : 'ip6.arpa.'
  const radix = address.kind() === 'ipv4' ? 10 : 16
  const labels = labelsOf(address.toByteArray(), bitsPerLabel)
  const whole = Math.floor(prefix / bitsPerLabel)
  const rest = prefix % bitsPerLabel
  const fixed = labels.slice(0, whole)
  if (rest === 0) return [zoneOf(fixed, radix, suffix)]
  const count = 2 ** (bitsPerLabel - rest)
  const first = labels[whole]! - (labels[whole]! % count)
  return Array.from({ length: count }, (_, index) => zoneOf([...fixed, first + index], radix, suffix))
}

const labelsOf = (bytes: readonly number[], bitsPerLabel: number): number[] =>
  bitsPerLabel === 8 ? [...bytes] : bytes.flatMap(byte => [byte >> 4, byte & 15])

const zoneOf = (labels: readonly number[], radix: number, suffix: string): string =>
  [...labels.toReversed().map(label => label.toString(radix)), suffix].join('.')
