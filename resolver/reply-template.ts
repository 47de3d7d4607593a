/**
 * Text with parts of a question and its reply in it, by CoreDNS's placeholders: `{name}`, `{>rflags}`, and `{/LABEL}` for
 * metadata.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Reply } from './plugin.ts'
import { protocolOf, type Query } from './query.ts'
import { className, rcodeName, typeName } from './wire/codes.ts'
import { PLAIN_UDP_SIZE } from './wire/edns.ts'
import { flags, opcodeOf } from './wire/header.ts'

type Part = string | ((query: Query, reply: Reply) => string)

export type ReplyTemplate = readonly Part[]

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** What a client on this transport can take, as CoreDNS counts it. */
export const bufferSize = ({ transport, edns }: Query): number => {
  if (transport !== 'udp') return 65_535
  return Math.max(edns?.udpSize ?? PLAIN_UDP_SIZE, PLAIN_UDP_SIZE)
}

const flagNames = [
  ['qr', flags.response],
  ['aa', flags.authoritative],
  ['tc', flags.truncated],
  ['rd', flags.recursionDesired],
  ['ra', flags.recursionAvailable],
  ['ad', flags.authenticData],
  ['cd', flags.checkingDisabled],
] as const

const flagBits = flagNames.reduce((bits, [, bit]) => bits | bit, 0)
/** There are few: replies of a server look alike. */
const flagTexts = new Map<number, string>()

/** `qr,aa,rd`; `-`: silence. */
export const replyFlags = (packet: Buffer | undefined): string => {
  if (!packet) return '-'
  const bits = packet.readUInt16BE(2) & flagBits
  const known = flagTexts.get(bits)
  if (known !== undefined) return known
  const text = flagNames
    .filter(([, bit]) => bits & bit)
    .map(([name]) => name)
    .join(',')
  flagTexts.set(bits, text)
  return text
}

/** Seconds with nine digits at most, never with an exponent. */
const formatSeconds = (duration: Milliseconds): string => {
  const seconds = Math.round(duration * 1e6) / 1e9
  return `${seconds === 0 || seconds >= 1e-6 ? seconds : seconds.toFixed(9)}s`
}

const placeholders: Readonly<Record<string, (query: Query, reply: Reply) => string>> = {
  '{type}': ({ question }) => typeName(question.type),
  '{class}': ({ question }) => className(question.class),
  '{name}': ({ question }) => question.name,
  '{proto}': ({ transport }) => protocolOf(transport),
  '{remote}': ({ client }) => bracketed(client.address),
  '{port}': ({ client }) => String(client.port),
  '{local}': ({ local }) => bracketed(local.address),
  '{size}': ({ packet }) => String(packet.length),
  '{rcode}': (_, { answer }) => (answer ? rcodeName(answer.rcode) : '-'),
  '{rsize}': (_, { packet }) => String(packet?.length ?? 0),
  '{duration}': (_, { duration }) => formatSeconds(duration),
  '{>id}': ({ id }) => String(id),
  '{>opcode}': ({ packet }) => String(opcodeOf(packet)),
  '{>do}': ({ edns }) => String(edns?.dnssecOk ?? false),
  '{>bufsize}': query => String(bufferSize(query)),
  '{>rflags}': (_, { packet }) => replyFlags(packet),
}

/** A problem: a placeholder that there is not. */
export const parseReplyTemplate = (template: string): Result<ReplyTemplate, string> => {
  const parts: Part[] = []
  for (const piece of template.split(/(\{[^{}]*\})/)) {
    if (!/^\{.*\}$/.test(piece)) {
      if (piece !== '') parts.push(piece)
    } else if (piece.startsWith('{/')) {
      const label = piece.slice(2, -1)
      parts.push(({ metadata }) => metadata?.get(label) || '-')
    } else {
      const value = Object.hasOwn(placeholders, piece) ? placeholders[piece] : undefined
      if (!value) return refused(`"${piece}" is not a placeholder`)
      parts.push(value)
    }
  }
  return accepted(parts)
}

export const renderReply = (template: ReplyTemplate, query: Query, reply: Reply): string => {
  let text = ''
  for (const part of template) text += typeof part === 'string' ? part : part(query, reply)
  return text
}
