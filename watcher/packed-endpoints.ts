/**
 * The endpoints of a slice as one short text: an IPv4 endpoint without names takes 7 characters of one byte where objects
 * take 300 bytes, and two slices are alike exactly if their texts are. Each endpoint is
 *
 *     flags | number of addresses | address … | length, hostname? | length, pod's name? | length, zone?
 *           | length, zones of its hints? | length, nodes of its hints?
 *
 * and an address is 0 and its four bytes, or one more than its length and its text.
 */

export interface EndpointView {
  readonly addresses: readonly string[]
  /** `''` when the endpoint has none. */
  readonly hostname: string
  /** targetRef's pod name, `''` when it is no pod, or when nobody wants it. */
  readonly podName: string
  /** conditions.ready: absent counts as ready. */
  readonly ready: boolean
  /** `''` when it has none, or when nobody wants it. */
  readonly zone: string
  /** hints.forZones and hints.forNodes: names, blanks between; `''` when it has none, or when nobody wants them. */
  readonly zoneHints: string
  readonly nodeHints: string
}

/** Made by `packEndpoints`, to be compared and unpacked, not to be read. */
export type PackedEndpoints = string

const READY = 1
const HAS_HOSTNAME = 2
const HAS_POD_NAME = 4
const HAS_ZONE = 8
const HAS_ZONE_HINTS = 16
const HAS_NODE_HINTS = 32

export const packEndpoints = (endpoints: readonly EndpointView[]): PackedEndpoints => endpoints.map(packOne).join('')

const packOne = ({ addresses, hostname, podName, ready, zone, zoneHints, nodeHints }: EndpointView): string => {
  const flags =
    (ready ? READY : 0) |
    (hostname === '' ? 0 : HAS_HOSTNAME) |
    (podName === '' ? 0 : HAS_POD_NAME) |
    (zone === '' ? 0 : HAS_ZONE) |
    (zoneHints === '' ? 0 : HAS_ZONE_HINTS) |
    (nodeHints === '' ? 0 : HAS_NODE_HINTS)
  const named = [hostname, podName, zone, zoneHints, nodeHints].filter(text => text !== '').map(withLength)
  return String.fromCharCode(flags, addresses.length) + addresses.map(packAddress).join('') + named.join('')
}

const withLength = (text: string): string => String.fromCharCode(text.length) + text

/** As the API writes it: no leading zeros, so that it comes out as it went in. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

const packAddress = (address: string): string => {
  const octets = IPV4.exec(address)?.slice(1).map(Number)
  return octets?.every(octet => octet < 256)
    ? String.fromCharCode(0, ...octets)
    : String.fromCharCode(address.length + 1) + address
}

/** False: no endpoint has the IPv4 address (32 bits), in the API's own spelling. */
export const mayHoldAddress = (packed: PackedEndpoints, address: number): boolean =>
  packed.includes(String.fromCharCode(0, address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255))

/**
 * Calls `visit` for each address of the ready endpoints until it returns true: IPv4 by its 32 bits, else the text.
 * Nothing is made for that: a large cluster has 100,000 at its start.
 */
export const findReadyAddress = (packed: PackedEndpoints, visit: (address: number | string) => boolean): void => {
  for (let at = 0; at < packed.length; ) {
    const flags = packed.charCodeAt(at)
    let left = packed.charCodeAt(at + 1)
    at += 2
    for (; left > 0; left--) {
      const length = packed.charCodeAt(at)
      const end = at + (length === 0 ? 5 : length)
      if (flags & READY && visit(length === 0 ? ipv4At(packed, at + 1) : packed.slice(at + 1, end))) return
      at = end
    }
    for (const named of NAMES) if (flags & named) at += 1 + packed.charCodeAt(at)
  }
}

const NAMES = [HAS_HOSTNAME, HAS_POD_NAME, HAS_ZONE, HAS_ZONE_HINTS, HAS_NODE_HINTS]

const ipv4At = (packed: PackedEndpoints, at: number): number =>
  ((packed.charCodeAt(at) << 24) |
    (packed.charCodeAt(at + 1) << 16) |
    (packed.charCodeAt(at + 2) << 8) |
    packed.charCodeAt(at + 3)) >>>
  0

export function* unpackEndpoints(packed: PackedEndpoints): Generator<EndpointView, void> {
  let at = 0
  const next = () => packed.charCodeAt(at++)
  const text = (length: number): string => packed.slice(at, (at += length))
  const address = (): string => {
    const length = next()
    return length === 0 ? `${next()}.${next()}.${next()}.${next()}` : text(length - 1)
  }
  while (at < packed.length) {
    const flags = next()
    const addresses = Array.from({ length: next() }, address)
    const hostname = flags & HAS_HOSTNAME ? text(next()) : ''
    const podName = flags & HAS_POD_NAME ? text(next()) : ''
    const zone = flags & HAS_ZONE ? text(next()) : ''
    const zoneHints = flags & HAS_ZONE_HINTS ? text(next()) : ''
    const nodeHints = flags & HAS_NODE_HINTS ? text(next()) : ''
    yield { addresses, hostname, podName, ready: (flags & READY) !== 0, zone, zoneHints, nodeHints }
  }
}
