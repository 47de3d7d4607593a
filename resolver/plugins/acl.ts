/**
 * acl: lets questions pass or not, by who asks and for which type. The lines of a block's `acl` directives are one list:
 * the first that fits decides; where none does, the question passes.
 */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { suggestion } from '../corefile/nearest.ts'
import type { Directive, Property, Word } from '../corefile/syntax.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import { NetworkList } from '../network-list.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

const rule = {
  kind: 'words',
  syntax: '[type QTYPE…] [net SOURCE…]',
  minimum: 0,
  maximum: Number.POSITIVE_INFINITY,
  repeatable: true,
  absent: 'questions that no line is for pass',
} as const

const options = {
  allow: { ...rule, doc: 'let the question pass' },
  block: { ...rule, doc: 'REFUSED, with the extended error Blocked' },
  filter: { ...rule, doc: 'an empty answer, with the extended error Filtered' },
  drop: { ...rule, doc: 'no reply' },
} as const satisfies PropertyTable

type Action = keyof typeof options

const labels = ['server', 'zone', 'view'] as const

const metrics = {
  block: {
    kind: 'counter',
    name: 'coredns_acl_blocked_requests_total',
    help: 'Questions that were refused.',
    labels,
  },
  filter: {
    kind: 'counter',
    name: 'coredns_acl_filtered_requests_total',
    help: 'Questions that got an empty answer.',
    labels,
  },
  drop: {
    kind: 'counter',
    name: 'coredns_acl_dropped_requests_total',
    help: 'Questions that got no reply.',
    labels,
  },
  allow: {
    kind: 'counter',
    name: 'coredns_acl_allowed_requests_total',
    help: 'Questions that passed.',
    labels: ['server', 'view'],
  },
} as const satisfies MetricTable

interface Rule {
  readonly action: Action
  /** Undefined: all. */
  readonly types: ReadonlySet<number> | undefined
  /** Undefined: everybody. */
  readonly sources: NetworkList | undefined
}

/** One directive. */
interface Policy {
  readonly zones: readonly DnsName[]
  readonly rules: readonly Rule[]
}

/** All lines of a block. */
interface Decider {
  readonly policies: readonly Policy[]
  readonly counters: Metrics<typeof metrics>
  readonly view: string
}

export const aclPlugin: PluginModule = {
  name: 'acl',
  repeatable: true,
  options,
  metrics,
  setup(directive, block, { registry }) {
    const reader = new DirectiveReader(directive)
    const own = readPolicy(reader, directive, block)
    return reader.finish((): Plugin => {
      // The instance of the block's first directive decides for them all.
      const [first, ...others] = block.directives.filter(({ name }) => name.text === 'acl')
      if (first !== directive) return { name: 'acl' }
      const policies = [own, ...others.map(other => readPolicy(new DirectiveReader(other), other, block))]
      const decider = { policies, counters: registerMetrics(registry, metrics), view: block.view }
      return { name: 'acl', allClasses: true, handle: (query, next) => decide(decider, query, next) }
    })
  },
}

const readPolicy = (reader: DirectiveReader, directive: Directive, block: BlockContext): Policy => {
  reader.properties(options)
  if (directive.properties.length === 0) reader.refuse(directive.name, 'needs a line (like "block net 192.0.2.0/24")')
  const zones = reader.zones(directive.arguments, block.zones)
  return { zones, rules: directive.properties.map(line => readRule(reader, line)) }
}

const sections = ['type', 'net'] as const

const readRule = (reader: DirectiveReader, { name, arguments: words }: Property): Rule => {
  const named: Record<(typeof sections)[number], Word[]> = { type: [], net: [] }
  let section: (typeof sections)[number] | undefined
  for (const word of words) {
    const keyword = sections.find(text => text === word.text)
    if (keyword) section = keyword
    else if (section) named[section].push(word)
    else reader.refuse(word, `"${word.text}" is neither "type" nor "net"${suggestion(word.text, sections)}`)
  }
  for (const keyword of sections) {
    const word = words.find(({ text }) => text === keyword)
    if (word && named[keyword].length === 0) reader.refuse(word, `"${keyword}" needs a value`)
  }
  return {
    action: name.text as Action,
    types: isEverything(named.type) ? undefined : new Set(named.type.map(word => reader.recordType(word))),
    sources: isEverything(named.net) ? undefined : NetworkList.read(reader, named.net),
  }
}

const isEverything = (words: readonly Word[]): boolean => words.length === 0 || words.some(({ text }) => text === '*')

const decide = ({ policies, counters, view }: Decider, query: Query, next: Next) => {
  const { server, question } = query
  for (const { zones, rules } of policies) {
    const zone = zones.find(candidate => isSubdomain(question.canonicalName, candidate))
    const found = zone === undefined ? undefined : rules.find(candidate => fits(candidate, query))
    if (!found || zone === undefined) continue
    query.trace?.add('acl', 'a line is for this question', { action: found.action })
    if (found.action === 'allow') break
    counters[found.action].inc({ server, zone, view })
    return verdicts[found.action]
  }
  counters.allow.inc({ server, view })
  return next(query)
}

const fits = ({ types, sources }: Rule, { question, client }: Query): boolean => {
  if (types && !types.has(question.type)) return false
  return sources?.has(client.address) ?? true
}

const because = (code: number) => ({ extendedErrors: [{ code, text: '' }] })

const verdicts: Readonly<Record<Exclude<Action, 'allow'>, Verdict>> = {
  // RFC 8914 §4.16, §4.18.
  block: answered('acl', emptyAnswer(rcodes.REFUSED, because(extendedErrorCodes.BLOCKED))),
  filter: answered('acl', emptyAnswer(rcodes.NOERROR, because(extendedErrorCodes.FILTERED))),
  drop: { verdict: 'dropped', by: 'acl' },
}
