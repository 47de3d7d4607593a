/**
 * Domain names, between the text that the project handles (`DnsName`, see record.ts) and the wire (RFC 1035 §3.1).
 *
 * Promised: every name on the wire has exactly one text, and that text gives the same bytes back. All text that leaves
 * this file is such a `DnsName`; text from people comes in through `parseName`, and only there.
 */
import assert from 'node:assert'
import { accepted, type Result, refused } from '#lib/result.ts'
import { HEADER_LENGTH } from './header.ts'
import type { DnsName } from './record.ts'

const DOT = 0x2e
const BACKSLASH = 0x5c
const ZERO = 0x30
/** RFC 1035 §2.3.4. */
const MAX_LABEL = 63
/** RFC 1035 §2.3.4: length bytes and the root's included. */
const MAX_NAME = 255
/** RFC 1035 §4.1.4: the two high bits that make a length byte a pointer. */
const POINTER = 0xc0

export const ROOT: DnsName = '.'

const isDigit = (code: number): boolean => code >= ZERO && code <= ZERO + 9

/** Printable, and not special in `DnsName` text. */
const isPlain = (byte: number): boolean => byte > 0x20 && byte < 0x7f && byte !== DOT && byte !== BACKSLASH

const escapeByte = (byte: number): string => {
  if (isPlain(byte)) return String.fromCharCode(byte)
  return byte === DOT || byte === BACKSLASH ? `\\${String.fromCharCode(byte)}` : `\\${String(byte).padStart(3, '0')}`
}

/** A label's bytes as `DnsName` text; the label may hold dots or any other byte. */
export const escapeLabel = (label: Buffer): string => {
  let text = ''
  for (const byte of label) text += escapeByte(byte)
  return text
}

interface Character {
  readonly byte: number
  /** Where the next character starts. */
  readonly next: number
}

/** The escape at `position` (a backslash), RFC 1035 §5.1; `undefined` if it is none. */
const readEscape = (text: Buffer, position: number): Character | undefined => {
  const digits = text.toString('latin1', position + 1, position + 4)
  if (/^\d{3}$/.test(digits)) return Number(digits) > 255 ? undefined : { byte: Number(digits), next: position + 4 }
  const byte = text[position + 1]
  if (byte === undefined || isDigit(byte)) return undefined
  return { byte, next: position + 2 }
}

/** The bytes of each label of a text, the root's left out; a problem in words. */
const readLabels = (text: string): Result<Buffer[], string> => {
  const bytes = Buffer.from(text)
  const labels: Buffer[] = []
  let label: number[] = []
  for (let position = 0; position < bytes.length; ) {
    const byte = bytes[position]!
    if (byte === DOT) {
      labels.push(Buffer.from(label))
      label = []
      position++
    } else {
      const character = byte === BACKSLASH ? readEscape(bytes, position) : { byte, next: position + 1 }
      if (!character) return refused(`"${text}" has a broken escape (\\DDD up to 255, or \\ before one character)`)
      label.push(character.byte)
      position = character.next
    }
  }
  if (label.length > 0) labels.push(Buffer.from(label))
  return accepted(labels)
}

/** Text from people → the one `DnsName` it stands for. The final dot may be left out; UTF-8 counts as bytes. */
export const parseName = (text: string): Result<DnsName, string> => {
  if (text === ROOT) return accepted(ROOT)
  if (text === '') return refused('a domain name is empty')
  const labels = readLabels(text)
  if (!labels.ok) return labels
  let total = 1
  for (const { length } of labels.value) {
    if (length === 0) return refused(`"${text}" has an empty label`)
    if (length > MAX_LABEL) return refused(`"${text}" has a label of more than ${MAX_LABEL} bytes`)
    total += length + 1
  }
  if (total > MAX_NAME) return refused(`"${text}" is longer than ${MAX_NAME} bytes`)
  return accepted(joinName(labels.value.map(escapeLabel)))
}

/** Position after the label that starts at `start`: after its dot. */
export const labelEnd = (name: DnsName, start: number): number => {
  for (let position = start; position < name.length; position++) {
    const code = name.charCodeAt(position)
    if (code === DOT) return position + 1
    if (code === BACKSLASH) position++
  }
  return failAt(name)
}

/** Writes the label that starts at `start`, its length byte first; gives back the end of what was written. */
export const writeLabel = (name: DnsName, start: number, target: Buffer, offset: number): number => {
  let end = offset + 1
  for (let position = start; position < name.length; position++) {
    let code = name.charCodeAt(position)
    if (code === DOT) break
    if (code === BACKSLASH) {
      code = name.charCodeAt(++position)
      if (isDigit(code)) {
        code = Number(name.slice(position, position + 3))
        position += 2
      }
    }
    target[end++] = code
  }
  const length = end - offset - 1
  if (length === 0 || length > MAX_LABEL) failAt(name)
  target[offset] = length
  return end
}

/** Not `assert`, which wants its text made though nothing is wrong. */
const failAt = (name: string): never => assert.fail(`not a DnsName: ${name}`)

/**
 * Writes the wire form, uncompressed, at `offset`; gives back the end. `name` must be a `DnsName`, and the buffer must
 * have room for it (at most 255 bytes).
 */
export const writeName = (name: DnsName, target: Buffer, offset: number): number => {
  if (!name.endsWith('.')) failAt(name)
  const end = name.includes('\\') ? writeEscapedLabels(name, target, offset) : writePlainLabels(name, target, offset)
  target[end] = 0
  if (end + 1 - offset > MAX_NAME) failAt(name)
  return end + 1
}

const writeEscapedLabels = (name: DnsName, target: Buffer, offset: number): number => {
  let end = offset
  for (let start = 0; start < name.length; start = labelEnd(name, start)) end = writeLabel(name, start, target, end)
  return end
}

/** Nearly all names: one pass over the text, in which a label and its dot are as long as a length byte and the label. */
const writePlainLabels = (name: DnsName, target: Buffer, offset: number): number => {
  if (name === ROOT) return offset
  let start = 0
  for (let position = 0; position < name.length; position++) {
    const code = name.charCodeAt(position)
    if (code !== DOT) {
      target[offset + position + 1] = code
      continue
    }
    const length = position - start
    if (length === 0 || length > MAX_LABEL) failAt(name)
    target[offset + start] = length
    start = position + 1
  }
  return offset + name.length
}

const scratch = Buffer.allocUnsafe(1024)

/** The wire form, uncompressed, after `room` bytes and before `behind` bytes that the caller writes. */
export const encodeName = (name: DnsName, room = 0, behind = 0): Buffer => {
  if (room + name.length >= scratch.length) failAt(name)
  const end = writeName(name, scratch, room)
  const bytes = Buffer.allocUnsafe(end + behind)
  scratch.copy(bytes, room, room, end)
  return bytes
}

/** Length of the wire form, uncompressed, in bytes. */
export const nameLength = (name: DnsName): number => {
  if (name === ROOT) return 1
  let length = 1
  for (let position = 0; position < name.length; position++) {
    if (name.charCodeAt(position) === BACKSLASH) position += isDigit(name.charCodeAt(position + 1)) ? 3 : 1
    length++
  }
  return length
}

export interface ReadName {
  readonly name: DnsName
  /** Where the bytes after the name start (after the first pointer, if there is one). */
  readonly end: number
}

/**
 * Copies the label at `at` and a dot to the scratch text; how many of its bytes need an escape. `undefined`: no label, or
 * cut off, or the name gets too long.
 */
const copyLabel = (packet: Buffer, at: number, text: number): number | undefined => {
  const size = packet[at]!
  const end = at + 1 + size
  // The scratch text has as many bytes as the name on the wire, the root's not counted.
  if (size > MAX_LABEL || text + size + 2 > MAX_NAME || end > packet.length) return undefined
  let specials = 0
  let to = text
  for (let from = at + 1; from < end; from++) {
    const byte = packet[from]!
    if (!isPlain(byte)) specials++
    scratch[to++] = byte
  }
  scratch[to] = DOT
  return specials
}

/** Where the pointer at `at` leads; `undefined`: cut off, or into the header, which is no name. */
const pointerTarget = (packet: Buffer, at: number): number | undefined => {
  if (at + 1 >= packet.length) return undefined
  const target = packet.readUInt16BE(at) & 0x3fff
  return target < HEADER_LENGTH ? undefined : target
}

/**
 * Reads the name at `offset`, following compression pointers. `undefined`: cut off, longer than 255 bytes, a label type
 * that RFC 6891 §5 forbids, or a pointer that does not point to before the labels that led to it (RFC 1035 §4.1.4: "a
 * prior occurrence"), so that no chain of pointers can loop or cost more than the packet's first 16 KiB.
 */
export const readName = (packet: Buffer, offset: number): ReadName | undefined => {
  let at = offset
  let fragment = offset
  let end: number | undefined
  let text = 0
  let specials = 0
  for (let size = packet[at]; size !== 0; size = packet[at]) {
    if (size === undefined) return undefined
    if (size >= POINTER) {
      const target = pointerTarget(packet, at)
      if (target === undefined || target >= fragment) return undefined
      end ??= at + 2
      at = fragment = target
    } else {
      const found = copyLabel(packet, at, text)
      if (found === undefined) return undefined
      specials += found
      text += size + 1
      at += size + 1
    }
  }
  end ??= at + 1
  if (text === 0) return { name: ROOT, end }
  return { name: specials > 0 ? readSpecialName(packet, offset) : scratch.toString('latin1', 0, text), end }
}

/** The text of a name that `readName` has checked and found bytes in that need an escape. */
const readSpecialName = (packet: Buffer, offset: number): DnsName => {
  let name = ''
  for (let at = offset; ; ) {
    const size = packet[at]!
    if (size === 0) return name
    if (size >= POINTER) {
      at = pointerTarget(packet, at)!
    } else {
      name += `${escapeLabel(packet.subarray(at + 1, at + 1 + size))}.`
      at += 1 + size
    }
  }
}

/** End of the name at `offset` without reading it: pointers are not followed. `undefined`: cut off or malformed. */
export const skipName = (packet: Buffer, offset: number): number | undefined => {
  for (let at = offset; ; ) {
    const size = packet[at]
    if (size === undefined) return undefined
    if (size === 0) return at + 1
    if (size >= POINTER) return at + 2 <= packet.length ? at + 2 : undefined
    if (size > MAX_LABEL) return undefined
    at += 1 + size
  }
}

/** Lower case, as names are compared: ASCII letters only (RFC 4343 §3). */
export const canonicalName = (name: DnsName): DnsName => name.toLowerCase()

/** Labels from the left, as text, without dots; none for the root. */
export const splitLabels = (name: DnsName): string[] => {
  if (name === ROOT) return []
  if (!name.includes('\\')) return name.slice(0, -1).split('.')
  const labels: string[] = []
  for (let start = 0; start < name.length; ) {
    const end = labelEnd(name, start)
    labels.push(name.slice(start, end - 1))
    start = end
  }
  return labels
}

/** The name without its first label; `undefined` for the root. */
export const parentName = (name: DnsName): DnsName | undefined => {
  if (name === ROOT) return undefined
  const start = labelEnd(name, 0)
  return start === name.length ? ROOT : name.slice(start)
}

/** Puts labels (text as `splitLabels` gives it) before a zone. The caller keeps to 255 bytes (`nameLength`). */
export const joinName = (labels: readonly string[], zone: DnsName = ROOT): DnsName => {
  if (labels.length === 0) return zone
  return zone === ROOT ? `${labels.join('.')}.` : `${labels.join('.')}.${zone}`
}

/** Whether `name` is `zone` or lies below it. Both canonical. */
export const isSubdomain = (name: DnsName, zone: DnsName): boolean => {
  if (zone === ROOT) return true
  const start = name.length - zone.length
  if (start < 0 || !name.endsWith(zone)) return false
  if (start === 0) return true
  if (name.charCodeAt(start - 1) !== DOT) return false
  // A dot after an odd number of backslashes is part of a label.
  let backslashes = 0
  while (name.charCodeAt(start - 2 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 0
}

/** Whether `name` is in one of the zones. All canonical. */
export const isInSome = (name: DnsName, zones: readonly DnsName[]): boolean => {
  for (const zone of zones) if (isSubdomain(name, zone)) return true
  return false
}
