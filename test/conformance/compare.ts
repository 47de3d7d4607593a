/** A reply against an expectation, by the rules of the corpus' format. */
import { rcodeName } from '#resolver/wire/codes.ts'
import { decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import type { CaseRecord, Expectation } from './cases.ts'
import { toCaseRecord } from './presentation.ts'

/** What differs, in words; empty: nothing. */
export const differences = (reply: Buffer | undefined, expected: Expectation): string[] => {
  if (expected.no_response) return reply ? ['there is a reply'] : []
  if (!reply) return ['there is no reply']
  const decoded = decodeResponse(reply)
  if (!decoded.ok) return [`the reply is malformed: ${decoded.problem}`]
  return [
    ...headerDifferences(reply, decoded.value, expected),
    ...sectionDifferences(decoded.value, expected),
    ...ednsDifferences(decoded.value, expected.edns),
    ...(expected.max_size !== undefined && reply.length > expected.max_size ? [`${reply.length} bytes`] : []),
  ]
}

const headerDifferences = (reply: Buffer, message: ResponseMessage, expected: Expectation): string[] => {
  const wanted: readonly (readonly [string, unknown, unknown])[] = [
    ['rcode', rcodeName(message.rcode), expected.rcode],
    ['aa', message.authoritative, expected.aa ?? false],
    ['tc', message.truncated, expected.tc ?? false],
    ['rd', (reply[2]! & 0x01) !== 0, expected.rd],
    ['cd', (reply[3]! & 0x10) !== 0, expected.cd],
  ]
  return wanted
    .filter(([, actual, value]) => value !== undefined && actual !== value)
    .map(([name, actual, value]) => `${name}: ${actual} instead of ${value}`)
}

const sectionDifferences = (message: ResponseMessage, expected: Expectation): string[] => {
  const exact = expected.case_exact ?? false
  const lines = (records: readonly CaseRecord[]) => records.map(record => lineOf(record, exact))
  const answers = lines(message.answers.map(toCaseRecord))
  const wanted = lines(expected.answer)
  if (expected.partial) return partialDifferences(answers, wanted)
  return [
    ...setDifferences('answer', answers, wanted, expected.order === 'exact'),
    ...setDifferences('authority', lines(message.authority.map(toCaseRecord)), lines(expected.authority), false),
    ...setDifferences('additional', lines(message.additional.map(toCaseRecord)), lines(expected.additional), false),
  ]
}

/** One line a record; a serial says nothing. */
const lineOf = ({ name, type, ttl, data }: CaseRecord, exact: boolean): string => {
  const shown = type === 'SOA' ? data.replace(/^(\S+ \S+) \S+/, '$1 *') : data
  const line = `${name} ${ttl} ${type} ${shown}`
  return exact ? line : line.toLowerCase()
}

const partialDifferences = (actual: readonly string[], wanted: readonly string[]): string[] => {
  const proper = actual.length > 0 && actual.length < wanted.length
  const distinct = new Set(actual).size === actual.length
  const known = actual.every(line => wanted.includes(line))
  return proper && distinct && known ? [] : [`${actual.length} answers are no proper part of ${wanted.length}`]
}

const setDifferences = (
  section: string,
  actual: readonly string[],
  wanted: readonly string[],
  ordered: boolean,
): string[] => {
  const [left, right] = ordered ? [actual, wanted] : [actual.toSorted(), wanted.toSorted()]
  const same = left.length === right.length && left.every((line, index) => line === right[index])
  return same ? [] : [`${section}: [${left.join('; ')}] instead of [${right.join('; ')}]`]
}

const ednsDifferences = ({ edns }: ResponseMessage, expected: Expectation['edns']): string[] => {
  if (expected === undefined) return []
  if (expected === null || !edns) return expected === null && !edns ? [] : [`OPT: ${edns ? 'present' : 'absent'}`]
  const options = edns.options.map(({ code, data }) => `${code}:${data.toString('hex')}`)
  const wanted = expected.options.map(({ code, data }) => `${code}:${data}`)
  const matches = (option: string, pattern: string) =>
    pattern.endsWith('*')
      ? option.startsWith(pattern.slice(0, -1)) && option.length >= pattern.length
      : option === pattern
  const fits =
    edns.version === expected.version &&
    edns.dnssecOk === expected.do &&
    (expected.udpSize === null || edns.udpSize === expected.udpSize) &&
    options.length === wanted.length &&
    options.every((option, index) => matches(option, wanted[index]!))
  return fits
    ? []
    : [`OPT: v${edns.version} ${edns.udpSize} do=${edns.dnssecOk} [${options}] instead of ${JSON.stringify(expected)}`]
}
