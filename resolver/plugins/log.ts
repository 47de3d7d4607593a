/**
 * log: a line on standard output for each query of the block, in CoreDNS's format or as JSON. The lines of a block's `log`
 * directives are one list: the first whose zone holds the name decides, so that no query is logged twice. Nobody waits
 * for the reader of the lines: what it is too slow for is dropped, and counted (`lib/line-writer.ts`).
 */
import type { Milliseconds } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import type { BlockContext, Environment, Plugin, PluginModule, Reply } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type ClientIdentity, replyJson } from '../reply-json.ts'
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
  json: { kind: 'flag', doc: 'a JSON object a line instead of FORMAT; also by the flag `--log-format json`' },
  sample: {
    kind: 'number',
    syntax: 'N',
    default: 1,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'replies',
    doc: 'only one of N, at random; errors, and what `minDuration` selects, always',
  },
  namespaces: {
    kind: 'words',
    syntax: 'NAMESPACE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'all clients',
    doc: 'only queries of pods in these namespaces; the `kubernetes` plugin watches pods for it',
  },
  identity: {
    kind: 'flag',
    doc: 'name the namespace and pod of the client in JSON even where pods would not be watched otherwise',
  },
} as const satisfies PropertyTable

const COMMON =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
const COMBINED = `${COMMON} "{>opcode}"`

interface Rule {
  readonly zones: readonly DnsName[]
  readonly line: ReplyTemplate
  readonly classes: ReadonlySet<Class>
  readonly minimum: Milliseconds | undefined
  readonly json: boolean
  /** One of so many. */
  readonly sample: number
  /** Undefined: all clients. */
  readonly namespaces: ReadonlySet<string> | undefined
}

export const logPlugin: PluginModule = {
  name: 'log',
  repeatable: true,
  options,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const allJson = environment.overrides['log-format'] === 'json'
    const rule = readRule(reader, directive, block, allJson)
    return reader.finish((): Plugin => {
      // The instance of the block's first line reads them all.
      const lines = block.directives.filter(({ name }) => name.text === 'log')
      if (lines[0] !== directive) return { name: 'log' }
      const others = lines.slice(1).map(line => readRule(new DirectiveReader(line), line, block, allJson))
      return new Log([rule, ...others], block, environment)
    })
  },
}

const readRule = (reader: DirectiveReader, directive: Directive, block: BlockContext, allJson: boolean): Rule => {
  const { class: classLines, minDuration, json, sample, namespaces } = reader.properties(options)
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
    json: json || allJson,
    sample,
    namespaces:
      namespaces.length > 0 ? new Set(namespaces.flatMap(line => line.arguments.map(word => word.text))) : undefined,
  }
}

const classOf = ({ answer }: Reply): Class => {
  if (!answer || (answer.rcode !== rcodes.NOERROR && answer.rcode !== rcodes.NXDOMAIN)) return 'error'
  return answer.rcode === rcodes.NXDOMAIN || answer.answers.length === 0 ? 'denial' : 'success'
}

class Log implements Plugin {
  readonly name = 'log'
  readonly #rules: readonly Rule[]
  readonly #block: BlockContext
  readonly #environment: Environment
  #providers: readonly Plugin[] | undefined

  constructor(rules: readonly Rule[], block: BlockContext, environment: Environment) {
    this.#rules = rules
    this.#block = block
    this.#environment = environment
  }

  report(query: Query, reply: Reply): void {
    const { canonicalName } = query.question
    const rule = this.#rules.find(({ zones }) => zones.some(zone => isSubdomain(canonicalName, zone)))
    if (!rule || !this.#isSelected(rule, reply)) return
    const { json, line, namespaces } = rule
    const identity = json || namespaces ? this.#identify(query) : undefined
    if (namespaces && !namespaces.has(identity?.namespace ?? '')) return
    const { print, clock } = this.#environment
    print(json ? replyJson(clock, query, reply, identity) : `[INFO] ${renderReply(line, query, reply)}`)
  }

  #isSelected({ classes: wanted, minimum, sample }: Rule, reply: Reply): boolean {
    const kind = classOf(reply)
    if (minimum !== undefined && reply.duration > minimum) return true
    if (!wanted.has('all') && !wanted.has(kind)) return false
    return sample === 1 || kind === 'error' || this.#environment.random.unit() * sample < 1
  }

  /** The pod that asks, by what plugins of the block know; undefined: nothing. */
  #identify(query: Query): ClientIdentity | undefined {
    this.#providers ??= this.#block.plugins().filter(plugin => plugin.provideMetadata)
    if (this.#providers.length === 0) return undefined
    const metadata = new Map<string, string>()
    for (const plugin of this.#providers) plugin.provideMetadata!(query, metadata)
    const namespace = metadata.get('kubernetes/client-namespace')
    return namespace === undefined ? undefined : { namespace, pod: metadata.get('kubernetes/client-pod-name') ?? '' }
  }
}
