/**
 * Records as text, as zone files and `dig` write them (RFC 1035 §5, RFC 3597 §5): for logs, zone files, and directives
 * that hold records. Every record has a text; types without a form of their own are written `\# LENGTH HEX`.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { className, recordTypes, typeName } from './codes.ts'
import { dnssecFields } from './presentation-dnssec.ts'
import { fields, nameText, type PresentationField, readNumber, type Word, Words } from './presentation-fields.ts'
import { location } from './presentation-location.ts'
import { readRdata } from './rdata-layout.ts'
import type { DnsName, ResourceRecord } from './record.ts'
import { serviceParameters } from './service-parameters.ts'

const T = recordTypes
const { u8, u16, u32, seconds, name, string, strings, hex, base64 } = fields
const { algorithm, type, time, types, salt, hash } = dnssecFields

/** The fields of each type's data, in order. */
const forms = new Map<number, readonly PresentationField[]>([
  [T.A, [fields.ipv4]],
  [T.AAAA, [fields.ipv6]],
  [T.NS, [name]],
  [T.CNAME, [name]],
  [T.PTR, [name]],
  [T.DNAME, [name]],
  [T.SOA, [name, name, u32, seconds, seconds, seconds, seconds]],
  [T.MX, [u16, name]],
  [T.AFSDB, [u16, name]],
  [T.KX, [u16, name]],
  [T.RP, [name, name]],
  [T.SRV, [u16, u16, u16, name]],
  [T.NAPTR, [u16, u16, string, string, string, name]],
  [T.TXT, [strings]],
  [T.SPF, [strings]],
  [T.HINFO, [string, string]],
  [T.CAA, [u8, fields.tag, fields.longString]],
  [T.URI, [u16, u16, fields.longString]],
  [T.DS, [u16, algorithm, u8, hex]],
  [T.CDS, [u16, algorithm, u8, hex]],
  [T.DNSKEY, [u16, u8, algorithm, base64]],
  [T.CDNSKEY, [u16, u8, algorithm, base64]],
  [T.KEY, [u16, u8, algorithm, base64]],
  [T.RRSIG, [type, algorithm, u8, seconds, time, time, u16, name, base64]],
  [T.SIG, [type, algorithm, u8, seconds, time, time, u16, name, base64]],
  [T.NSEC, [name, types]],
  [T.NSEC3, [u8, u8, u16, salt, hash, types]],
  [T.NSEC3PARAM, [u8, u8, u16, salt]],
  [T.CSYNC, [u32, u16, types]],
  [T.ZONEMD, [u32, u8, u8, hex]],
  [T.CERT, [u16, u16, algorithm, base64]],
  [T.DHCID, [base64]],
  [T.LOC, [location]],
  [T.EUI48, [fields.eui48]],
  [T.EUI64, [fields.eui64]],
  [T.RT, [u16, name]],
  [T.PX, [u16, name, name]],
  [T.MINFO, [name, name]],
  [T.OPENPGPKEY, [base64]],
  [T.SSHFP, [u8, u8, hex]],
  [T.TLSA, [u8, u8, u8, hex]],
  [T.SMIMEA, [u8, u8, u8, hex]],
  [T.SVCB, [u16, name, serviceParameters]],
  [T.HTTPS, [u16, name, serviceParameters]],
])

const readForm = (form: readonly PresentationField[], words: Words): Result<Buffer, string> => {
  const parts: Buffer[] = []
  for (const field of form) {
    const part = field.read(words)
    if (!part.ok) return part
    parts.push(part.value)
  }
  const surplus = words.take()
  return surplus ? refused(`"${surplus.text}" is one word too many`) : accepted(Buffer.concat(parts))
}

const writeForm = (form: readonly PresentationField[], data: Buffer): string | undefined => {
  const texts: string[] = []
  let at = 0
  for (const field of form) {
    const written = field.write(data, at)
    if (!written) return undefined
    if (written.text !== '') texts.push(written.text)
    at = written.end
  }
  return at === data.length ? texts.join(' ') : undefined
}

/** RFC 3597 §5. */
const unknownToText = (data: Buffer): string =>
  data.length === 0 ? '\\# 0' : `\\# ${data.length} ${data.toString('hex').toUpperCase()}`

const unknownFromWords = (words: readonly Word[]): Result<Buffer, string> => {
  const length = readNumber(words[1]?.text, 0xffff)
  if (!length.ok) return length
  const hex = words
    .slice(2)
    .map(word => word.text)
    .join('')
  const data = Buffer.from(hex, 'hex')
  return /^[\da-f]*$/i.test(hex) && hex.length === 2 * length.value
    ? accepted(data)
    : refused(`"\\# ${length.value}" is not followed by that many bytes in hexadecimal`)
}

/** `10.96.0.1`, `0 100 443 host.example.`, `\# 2 CAFE`; the last is also for data that is not as its type has it. */
export const rdataToText = (type: number, data: Buffer): string => {
  const form = forms.get(type)
  return (form && writeForm(form, data)) ?? unknownToText(data)
}

/** RFC 3597 §5: the generic form stands for any type, but the bytes must be what a known one has. */
const genericFromWords = (type: number, words: readonly Word[]): Result<Buffer, string> => {
  const data = unknownFromWords(words)
  if (!data.ok) return data
  const form = forms.get(type)
  const isWhole =
    readRdata(data.value, type, 0, data.value.length) && (!form || writeForm(form, data.value) !== undefined)
  return isWhole ? data : refused(`the bytes are no ${typeName(type)} data`)
}

/** The opposite of `rdataToText`; names without a final dot are below `origin`, or absolute where there is none. */
export const rdataFromWords = (type: number, words: readonly Word[], origin?: DnsName): Result<Buffer, string> => {
  if (words[0]?.text === '\\#' && !words[0].quoted) return genericFromWords(type, words)
  const form = forms.get(type)
  return form
    ? readForm(form, new Words(words, origin))
    : refused(`${typeName(type)} data is written as \\# LENGTH HEX`)
}

/** `my-svc.default.svc.cluster.local. 5 IN A 10.96.0.1` */
export const recordToText = ({ name: owner, type, class: recordClass, ttl, data }: ResourceRecord): string =>
  `${nameText(owner)} ${ttl} ${className(recordClass)} ${typeName(type)} ${rdataToText(type, data)}`
