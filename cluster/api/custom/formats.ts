/** Formats that a schema may ask of texts, as far as Kubernetes looks at them. Others are taken as they come. */
import { isIPv4, isIPv6 } from 'node:net'
import { parseCidr } from '../ip.ts'
import { checkDnsLabel, checkDnsSubdomain } from '../name.ts'

const UUID = (version: string) =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${version === '[0-9a-f]' || version === '3' ? '[0-9a-f]' : '[89ab]'}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  )

const DATE_TIME =
  /^\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)?$/
const GO_DURATION = /^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/
const WORDED_DURATION =
  /^\d+\s*(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/
const HOSTNAME =
  /^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*\.?$/
const EMAIL = /^[^\s@<>"(),:;\\[\]]+@[^\s@<>"(),:;\\[\]]+$/
const MAC = /^([0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{4}\.){2,3}[0-9A-Fa-f]{4}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const digitsOf = (text: string): string => text.replace(/[\s-]/g, '')

const isIsbn10 = (text: string): boolean => {
  const digits = digitsOf(text)
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)), 0)
  return sum % 11 === 0
}

const isIsbn13 = (text: string): boolean => {
  const digits = digitsOf(text)
  if (!/^\d{13}$/.test(digits)) return false
  return [...digits].reduce((total, digit, index) => total + (index % 2 === 0 ? 1 : 3) * Number(digit), 0) % 10 === 0
}

const CARD =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/

const matching =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text)

const isUri = (text: string): boolean =>
  !/[\p{Cc} ]/u.test(text) && (text.startsWith('/') || (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text)))

/** By the name without dashes. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matching(/^[0-9a-fA-F]{24}$/),
  uri: isUri,
  email: matching(EMAIL),
  hostname: text => text.length <= 255 && HOSTNAME.test(text),
  ipv4: isIPv4,
  ipv6: text => isIPv6(text) && !text.includes('%'),
  cidr: text => parseCidr(text) !== undefined,
  mac: matching(MAC),
  uuid: matching(UUID('[0-9a-f]')),
  uuid3: matching(UUID('3')),
  uuid4: matching(UUID('4')),
  uuid5: matching(UUID('5')),
  isbn: text => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: text => CARD.test(text.replace(/\D/g, '')),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matching(/^rgb\(\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/),
  byte: matching(BASE64),
  password: () => true,
  date: isDate,
  duration: text => GO_DURATION.test(text) || WORDED_DURATION.test(text.toLowerCase()),
  datetime: text => DATE_TIME.test(text) && isDate(text.slice(0, 10)),
  k8sshortname: text => checkDnsLabel(text).length === 0,
  k8slongname: text => checkDnsSubdomain(text).length === 0,
}

/** Undefined: the format is not looked at. */
export const formatCheck = (format: string | undefined): ((text: string) => boolean) | undefined => {
  const name = (format ?? '').replaceAll('-', '')
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
}
