/**
 * log: a line on standard output for each query of the block, in CoreDNS's format. The lines of a block's `log`
 * directives are one list: the first whose zone holds the name decides, so that no query is logged twice.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import type { BlockContext, Plugin, PluginModule, Reply } from '../plugin.ts'
import type { Query } from '../query.ts'
import { parseReplyTemplate, type ReplyTemplate, renderReply } from '../reply-template.ts'
import { rcodes } from '../wire/codes.ts'
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
  readonly line: ReplyTemplate
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
  const line = parseReplyTemplate(template)
  if (!line.ok) reader.refuse(format ?? directive.name, line.problem)
  return {
    zones: reader.zones(words, block.zones),
    line: line.ok ? line.value : [],
    classes: new Set(named.length > 0 ? named : ['all']),
    minimum: minDuration,
  }
}

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
  print(`[INFO] ${renderReply(rule.line, query, reply)}`)
}
