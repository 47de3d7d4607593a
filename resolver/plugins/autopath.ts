/**
 * autopath: walks a client's search list on this side. The client's first candidate is answered with what its whole list
 * would have found, so that a name of the outside costs one round trip instead of one for each search domain.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { questionFor } from '../ask-again.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { suggestion } from '../corefile/nearest.ts'
import type { Word } from '../corefile/syntax.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { parseResolvConf } from '../resolvconf.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain, parseName, ROOT } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'

const NAME = 'autopath'

/** Plugins that know their clients' search lists. */
const PROVIDERS = ['kubernetes'] as const
const RESOLV_CONF = '/etc/resolv.conf'

const metrics = {
  successes: {
    kind: 'counter',
    name: 'coredns_autopath_success_total',
    help: 'Questions answered by a later entry of the search list than the one that was asked for.',
    labels: ['server'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly zones: readonly DnsName[]
  /** The plugin that knows the client's own search domains; undefined: those of a file are everybody's. */
  readonly provider: string | undefined
  /** Search domains of the file: all of them, or those that come after the client's own. */
  readonly searches: readonly DnsName[]
}

export const autopathPlugin: PluginModule = {
  name: NAME,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    const source = directive.arguments.at(-1)
    if (!source) reader.refuse(directive.name, 'needs a resolv.conf or "@kubernetes", after the zones')
    const zones = reader.zones(directive.arguments.slice(0, -1), block.zones)
    const settings = source && { zones, ...readSource(reader, source, block, environment) }
    return reader.finish((): Plugin => new Autopath(settings!, block, environment))
  },
}

const readSource = (
  reader: DirectiveReader,
  source: Word,
  block: BlockContext,
  { folder, resolvConf = RESOLV_CONF }: Environment,
): Omit<Settings, 'zones'> => {
  if (!source.text.startsWith('@')) {
    const searches = readSearches(resolve(folder, source.text))
    if (!searches.ok) reader.refuse(source, searches.problem)
    else if (searches.value.length === 0) reader.refuse(source, `"${source.text}" has no search domains`)
    return { provider: undefined, searches: searches.ok ? searches.value : [] }
  }
  const provider = source.text.slice(1)
  if (!PROVIDERS.some(name => name === provider))
    reader.refuse(source, `"${source.text}" knows no clients${suggestion(provider, PROVIDERS)}`)
  else if (!block.directives.some(({ name }) => name.text === provider))
    reader.refuse(source, `"${provider}" does not stand in this server block`)
  // Pods have the cluster's domains first, then the node's; where there is no such file, there are none of those.
  const searches = readSearches(resolvConf)
  return { provider, searches: searches.ok ? searches.value : [] }
}

const readSearches = (path: string): Result<readonly DnsName[], string> => {
  try {
    const { searches } = parseResolvConf(readFileSync(path, 'utf8'))
    const names = searches.map(parseName).flatMap(name => (name.ok ? [canonicalName(name.value)] : []))
    return accepted(names.filter(name => name !== ROOT))
  } catch (error) {
    return refused(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

class Autopath implements Plugin {
  readonly name = NAME
  readonly #settings: Settings
  readonly #block: BlockContext
  readonly #metrics: Metrics<typeof metrics>
  #provider: Plugin | undefined

  constructor(settings: Settings, block: BlockContext, { registry }: Environment) {
    this.#settings = settings
    this.#block = block
    this.#metrics = registerMetrics(registry, metrics)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const candidates = this.#candidates(query)
    if (candidates.length === 0) return next(query)
    return whenKnown(next(query), first => this.#walk({ query, next, candidates, first }))
  }

  /** What the client would ask for next, in order; empty unless the question is its first candidate. */
  #candidates(query: Query): readonly DnsName[] {
    const { name, canonicalName: canonical, type } = query.question
    if (type === recordTypes.AXFR || type === recordTypes.IXFR) return []
    if (!this.#settings.zones.some(zone => isSubdomain(canonical, zone))) return []
    const own = this.#ownSearches(query)
    const [first, ...others] = [...new Set([...(own ?? []), ...this.#settings.searches])]
    if (!own || first === undefined || canonical === first || !isSubdomain(canonical, first)) return []
    const typed = name.slice(0, -first.length)
    return [...others.map(domain => typed + domain), typed]
  }

  #ownSearches(query: Query): readonly DnsName[] | undefined {
    const { provider } = this.#settings
    if (provider === undefined) return []
    this.#provider ??= this.#block.plugins().find(plugin => plugin.name === provider)
    return this.#provider?.searchList?.(query)
  }

  #walk(walk: Walk): MaybePromise<Verdict> {
    return isMissing(walk.first) ? this.#tryRest(walk) : walk.first
  }

  /** Only NXDOMAIN leads on: a failure may hide the name that the client means. */
  async #tryRest({ query, next, candidates, first }: Walk): Promise<Verdict> {
    for (const candidate of candidates) {
      const question = questionFor(query, candidate)
      const verdict = question && (await next(question))
      // Where no plugin is left for the name, nobody here has it.
      if (!verdict || verdict.verdict === 'unhandled' || isMissing(verdict)) continue
      query.trace?.add(NAME, 'found by the search list', { candidate })
      if (verdict.verdict !== 'answered') return verdict
      if (verdict.answer.rcode === rcodes.NOERROR) this.#metrics.successes.inc({ server: query.server })
      return answered(verdict.by, withAlias(verdict.answer, query.question.name, candidate))
    }
    return first
  }
}

interface Walk {
  readonly query: Query
  readonly next: Next
  readonly candidates: readonly DnsName[]
  /** On the question itself. */
  readonly first: Verdict
}

const isMissing = (verdict: Verdict): boolean =>
  verdict.verdict === 'answered' && verdict.answer.rcode === rcodes.NXDOMAIN

/** Leads from what was asked to what was found. An answer without records is about the name that was asked, too. */
const withAlias = (answer: Answer, asked: DnsName, found: DnsName): Answer => {
  if (answer.answers.length === 0) return answer
  const ttl = Math.min(...answer.answers.map(record => record.ttl))
  const alias = { name: asked, type: recordTypes.CNAME, class: 1, ttl, data: nameData.encode(found) }
  return { ...answer, answers: [alias, ...answer.answers] }
}
