/**
 * log: a line on standard output for each query of the block, in CoreDNS's format. The lines of a block's `log`
 * directives are one list: the first whose zone holds the name decides, so that no query is logged twice.
 */
import { isIPv6 } from 'node:net'
import type { Milliseconds } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import type { BlockContext, Plugin, PluginModule, Reply } from '../plugin.ts'
import { protocolOf, type Query } from '../query.ts'
import { className, rcodeName, rcodes, typeName } from '../wire/codes.ts'
import { PLAIN_UDP_SIZE } from '../wire/edns.ts'
import { flags, opcodeOf } from '../wire/header.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

const classes = ['success', 'denial', 'error', 'all'] as const
type Class = (typeof classes)[number]

const options = {
  class: {
    kind: 'words',
    syntax: 'success|denial|error|all…',
    minimum: 1,
    maximum: 4,
    repeatable: true,
    absent: 'all',
    doc: 'which replies: with data; NXDOMAIN or no data; SERVFAIL, REFUSED and the like; every one',
  },
  minDuration: {
    kind: 'duration',
    syntax: 'DURATION',
    default: undefined,
    minimum: 0,
    maximum: 3_600_000,
    doc: 'also log replies of other classes that took longer',
  },
} as const satisfies PropertyTable

const COMMON =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
const COMBINED = `${COMMON} {>opcode}`

interface Rule {
  readonly zones: readonly DnsName[]
  readonly line: readonly Part[]
  readonly classes: ReadonlySet<Class>
  readonly minimum: Milliseconds | undefined
}

export const logPlugin: PluginModule = {
  name: 'log',
  repeatable: true,
  options,
  setup(directive, block, { print }) {
    const reader = new DirectiveReader(directive)
    const rule = readRule(reader, directive, block)
    return reader.finish((): Plugin => {
      // The instance of the block's first line reads them all.
      const lines = block.directives.filter(({ name }) => name.text === 'log')
      if (lines[0] !== directive) return { name: 'log' }
      const others = lines.slice(1).map(line => readRule(new DirectiveReader(line), line, block))
      const rules = [rule, ...others]
      return { name: 'log', report: (query, reply) => report(rules, query, reply, print) }
    })
  },
}

const readRule = (reader: DirectiveReader, directive: Directive, block: BlockContext): Rule => {
  const { class: classLines, minDuration } = reader.properties(options)
  const named = classLines.flatMap(line => line.arguments.map(word => reader.choice(word, classes)))
  const words = [...directive.arguments]
  const format = words.at(-1)?.text.includes('{') ? words.pop()! : undefined
  const template = (format?.text ?? '{common}').replaceAll('{combined}', COMBINED).replaceAll('{common}', COMMON)
  const line = parseTemplate(template)
  for (const part of line) {
    if ('unknown' in part) reader.refuse(format ?? directive.name, `"${part.unknown}" is not a placeholder`)
  }
  return {
    zones: reader.zones(words, block.zones),
    line,
    classes: new Set(named.length > 0 ? named : ['all']),
    minimum: minDuration,
  }
}

type Part =
  | { readonly text: string }
  | { readonly value: (query: Query, reply: Reply) => string }
  | { readonly unknown: string }

const bracketed = (address: string): string => (isIPv6(address) ? `[${address}]` : address)

/** What a client on this transport can take, as CoreDNS counts it. */
const bufferSize = ({ transport, edns }: Query): number => {
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

const replyFlags = (packet: Buffer | undefined): string => {
  if (!packet) return '-'
  const bits = packet.readUInt16BE(2)
  return flagNames
    .filter(([, bit]) => bits & bit)
    .map(([name]) => name)
    .join(',')
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
  '{duration}': (_, { duration }) => `${(duration / 1000).toFixed(9).replace(/\.?0+$/, '')}s`,
  '{>id}': ({ id }) => String(id),
  '{>opcode}': ({ packet }) => String(opcodeOf(packet)),
  '{>do}': ({ edns }) => String(edns?.dnssecOk ?? false),
  '{>bufsize}': query => String(bufferSize(query)),
  '{>rflags}': (_, { packet }) => replyFlags(packet),
}

const parseTemplate = (template: string): readonly Part[] =>
  template
    .split(/(\{[^{}]*\})/)
    .filter(piece => piece !== '')
    .map((piece): Part => {
      if (!/^\{.*\}$/.test(piece)) return { text: piece }
      if (piece.startsWith('{/')) {
        const label = piece.slice(2, -1)
        return { value: ({ metadata }) => metadata?.get(label) || '-' }
      }
      const value = Object.hasOwn(placeholders, piece) ? placeholders[piece] : undefined
      return value ? { value } : { unknown: piece }
    })

const classOf = ({ answer }: Reply): Class => {
  if (!answer || (answer.rcode !== rcodes.NOERROR && answer.rcode !== rcodes.NXDOMAIN)) return 'error'
  return answer.rcode === rcodes.NXDOMAIN || answer.answers.length === 0 ? 'denial' : 'success'
}

const report = (rules: readonly Rule[], query: Query, reply: Reply, print: (line: string) => void): void => {
  const { canonicalName } = query.question
  const rule = rules.find(({ zones }) => zones.some(zone => isSubdomain(canonicalName, zone)))
  if (!rule) return
  const isClass = rule.classes.has('all') || rule.classes.has(classOf(reply))
  if (!isClass && (rule.minimum === undefined || reply.duration <= rule.minimum)) return
  let line = '[INFO] '
  for (const part of rule.line) {
    if ('text' in part) line += part.text
    else if ('value' in part) line += part.value(query, reply)
  }
  print(line)
}
