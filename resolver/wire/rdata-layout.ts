/**
 * Where RDATA holds domain names: needed to take names out of a message (a pointer means nothing outside of it) and to
 * compress them in a new one. Every type that is not listed is opaque bytes (RFC 3597 §3).
 */
import { recordTypes } from './codes.ts'
import { encodeName, readName } from './name.ts'

/** So many bytes, a domain name, one character-string or one and more (RFC 1035 §3.3), or whatever follows. */
export type Field = number | 'name' | 'text' | 'texts' | 'rest'

interface RdataLayout {
  readonly fields: readonly Field[]
  /** Names may be compressed when sent: the types of RFC 1035, and no others (RFC 3597 §4, RFC 2782 for SRV). */
  readonly compressible: boolean
}

const T = recordTypes
const wellKnown = (...fields: Field[]): RdataLayout => ({ fields, compressible: true })
const plain = (...fields: Field[]): RdataLayout => ({ fields, compressible: false })

/** The types whose names may arrive compressed (RFC 3597 §4), and others that the project itself reads. */
const layouts = new Map<number, RdataLayout>([
  [T.A, plain(4)],
  [T.NS, wellKnown('name')],
  [T.MD, wellKnown('name')],
  [T.MF, wellKnown('name')],
  [T.CNAME, wellKnown('name')],
  [T.SOA, wellKnown('name', 'name', 20)],
  [T.MB, wellKnown('name')],
  [T.MG, wellKnown('name')],
  [T.MR, wellKnown('name')],
  [T.PTR, wellKnown('name')],
  [T.MINFO, wellKnown('name', 'name')],
  [T.HINFO, plain('text', 'text')],
  [T.MX, wellKnown(2, 'name')],
  [T.TXT, plain('texts')],
  [T.RP, plain('name', 'name')],
  [T.AFSDB, plain(2, 'name')],
  [T.RT, plain(2, 'name')],
  [T.SIG, plain(18, 'name', 'rest')],
  [T.PX, plain(2, 'name', 'name')],
  [T.AAAA, plain(16)],
  [T.NXT, plain('name', 'rest')],
  [T.SRV, plain(6, 'name')],
  [T.NAPTR, plain(4, 'text', 'text', 'text', 'name')],
  [T.KX, plain(2, 'name')],
  [T.DNAME, plain('name')],
  [T.RRSIG, plain(18, 'name', 'rest')],
  [T.NSEC, plain('name', 'rest')],
  [T.SPF, plain('texts')],
])

/** The layout of RFC 1035 types that hold names, when sent. */
export const compressibleFields = (type: number): readonly Field[] | undefined => {
  const layout = layouts.get(type)
  return layout?.compressible ? layout.fields : undefined
}

/** End of one and more character-strings that fill the space to `end`. */
const textsEnd = (data: Buffer, start: number, end: number): number | undefined => {
  let at = start
  while (at < end) at += 1 + data[at]!
  return at === end && start < end ? end : undefined
}

/** End of a field that is no name; `undefined` if it does not end by `end`. */
export const fieldEnd = (data: Buffer, field: Field, at: number, end: number): number | undefined => {
  let next = end
  if (field === 'texts') return textsEnd(data, at, end)
  if (typeof field === 'number') next = at + field
  else if (field === 'text') next = at + 1 + (data[at] ?? 0)
  return next <= end ? next : undefined
}

const copyOf = (packet: Buffer, start: number, end: number): Buffer => {
  const copy = Buffer.allocUnsafe(end - start)
  packet.copy(copy, 0, start, end)
  return copy
}

/**
 * A copy of the RDATA at `offset`, names written out. `undefined`: the bytes are not what the type's fields say.
 */
export const readRdata = (packet: Buffer, type: number, offset: number, length: number): Buffer | undefined => {
  const layout = layouts.get(type)
  const end = offset + length
  if (!layout) return copyOf(packet, offset, end)
  const { fields } = layout
  if (fields.includes('name')) return readNamedFields(packet, fields, offset, end)
  let at: number | undefined = offset
  for (const field of fields) {
    at = fieldEnd(packet, field, at, end)
    if (at === undefined) return undefined
  }
  return at === end ? copyOf(packet, offset, end) : undefined
}

const readNamedFields = (packet: Buffer, fields: readonly Field[], offset: number, end: number): Buffer | undefined => {
  const parts: Buffer[] = []
  let at = offset
  for (const field of fields) {
    let next: number | undefined
    if (field === 'name') {
      const read = readName(packet, at)
      if (!read || read.end > end) return undefined
      parts.push(encodeName(read.name))
      next = read.end
    } else {
      next = fieldEnd(packet, field, at, end)
      if (next === undefined) return undefined
      parts.push(packet.subarray(at, next))
    }
    at = next
  }
  return at === end ? Buffer.concat(parts) : undefined
}
