/**
 * template: answers that are made of the question: records with parts of the name in them, or one answer for a whole zone.
 * Each directive is for its zones and type; the first whose pattern fits answers.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { countedBy } from '../memo.ts'
import { type HitCount, lasting } from '../memo-terms.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { respell } from '../respell.ts'
import { matchName, questionData, templateName } from '../template/data.ts'
import {
  readTemplateDirective,
  type Section,
  sections,
  type TemplateSettings,
  templateOptions,
} from '../template/directive.ts'
import { fieldsOf } from '../template/parse.ts'
import { parseRecord } from '../template/record-template.ts'
import { renderTemplate } from '../template/render.ts'
import { TemplateError, type Value } from '../template/value.ts'
import { restsOnQuestion, templateValues, workOut } from '../template/variables.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const labels = ['server', 'zone', 'view', 'class', 'type'] as const
const failureLabels = [...labels, 'section', 'template'] as const

const metrics = {
  matches: {
    kind: 'counter',
    name: 'coredns_template_matches_total',
    help: 'Questions that a template was for.',
    labels,
  },
  templateFailures: {
    kind: 'counter',
    name: 'coredns_template_template_failures_total',
    help: 'Templates that could not be filled in.',
    labels: failureLabels,
  },
  recordFailures: {
    kind: 'counter',
    name: 'coredns_template_rr_failures_total',
    help: 'Templates that, filled in, are no record.',
    labels: failureLabels,
  },
} as const satisfies MetricTable

export const templatePlugin: PluginModule = {
  name: 'template',
  repeatable: true,
  options: templateOptions,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readTemplateDirective(reader, directive, block)
    return reader.finish((): Plugin => new TemplatePlugin(settings, block, environment))
  },
}

/** What is another's at the next question, though its name is the same. */
const passingFields: ReadonlySet<string | undefined> = new Set(['Message', 'Remote', 'Meta', undefined])

const restsOnName = ({ records, workings }: TemplateSettings): boolean =>
  restsOnQuestion(workings) &&
  sections.every(section =>
    records[section].every(({ template }) => fieldsOf(template).every(([field]) => !passingFields.has(field))),
  )

class TemplatePlugin implements Plugin {
  readonly name = 'template'
  readonly steady: boolean
  readonly #settings: TemplateSettings
  readonly #view: string
  readonly #ask: Next
  readonly #metrics: Metrics<typeof metrics>
  readonly #counts = new Map<string, HitCount>()

  constructor(settings: TemplateSettings, { view }: BlockContext, { resolveInternally, registry }: Environment) {
    this.steady = restsOnName(settings)
    this.#settings = settings
    this.#view = view
    this.#ask = resolveInternally
    this.#metrics = registerMetrics(registry, metrics)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { zones, patterns, workings } = this.#settings
    const { canonicalName: name, type } = query.question
    const zone = zones.find(candidate => isSubdomain(name, candidate))
    if (zone === undefined || !this.#isFor(type)) return next(query)
    const match = matchName(patterns, templateName(query))
    if (!match) return this.#pass(query, next, 'no pattern of the template fits the name')
    const worked = workOut(workings, query, match)
    if (!worked.ok) return failure(worked.problem)
    if (!worked.value) return this.#pass(query, next, 'a condition of the template does not hold')
    query.trace?.add('template', 'a template is for the name', { zone, match: match.groups[0] })
    this.#metrics.matches.inc(this.#labels(query, zone))
    return this.#answer(query, zone, questionData(query, zone, match, templateValues(worked.value)))
  }

  #pass(query: Query, next: Next, reason: string): MaybePromise<Verdict> {
    const { canonicalName: name } = query.question
    const passes = this.#settings.fallthrough?.some(zone => isSubdomain(name, zone))
    return passes ? next(query) : failure(reason)
  }

  #isFor(type: number): boolean {
    return this.#settings.type === recordTypes.ANY || type === recordTypes.ANY || type === this.#settings.type
  }

  #answer(query: Query, zone: DnsName, data: ReadonlyMap<string, Value>): MaybePromise<Verdict> {
    const { rcode, extendedErrors } = this.#settings
    if (rcode === rcodes.SERVFAIL) return answered('template', emptyAnswer(rcode, { extendedErrors }))
    const made: Record<Section, ResourceRecord[]> = { answer: [], additional: [], authority: [] }
    for (const section of sections) {
      const records = this.#render(section, data, this.#labels(query, zone))
      if (typeof records === 'string') return failure(records)
      made[section] = records
    }
    const { answer: answers, additional, authority } = made
    const fields = { authoritative: true, answers, additional, authority, extendedErrors }
    const verdict = this.#follow(query, respell(emptyAnswer(rcode, fields), query.question))
    return verdict instanceof Promise ? verdict : countedBy(verdict, this.#again(query, zone))
  }

  /** Counts questions that are answered as before, without asking here. */
  #again(query: Query, zone: DnsName): HitCount {
    const labels = this.#labels(query, zone)
    const key = `${labels.server} ${zone}`
    const count = this.#counts.get(key) ?? { add: hits => this.#metrics.matches.inc(labels, hits) }
    this.#counts.set(key, count)
    return count
  }

  /** The records of a section, or why there are none. */
  #render(section: Section, data: ReadonlyMap<string, Value>, own: Record<string, string>): ResourceRecord[] | string {
    const records: ResourceRecord[] = []
    for (const { source, template } of this.#settings.records[section]) {
      const failed = { ...own, section, template: source }
      let text: string
      try {
        text = renderTemplate(template, data)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        this.#metrics.templateFailures.inc(failed)
        return `the template of an ${section} record: ${error.message}`
      }
      const record = parseRecord(text)
      if (!record.ok) {
        this.#metrics.recordFailures.inc(failed)
        return `the template made "${text}": ${record.problem}`
      }
      records.push(record.value)
    }
    return records
  }

  /** Where the answer ends in an alias: what that leads to, if this server knows. */
  #follow(query: Query, answer: Answer): MaybePromise<Verdict> {
    const { type } = query.question
    const last = answer.answers.at(-1)
    // RFC 1034 §3.6.2: who asks for the CNAME itself is not led on.
    if (last?.type !== recordTypes.CNAME || type === recordTypes.CNAME || type === recordTypes.ANY)
      return answered('template', answer, lasting)
    const target = nameData.decode(last.data)
    const isInAnswer = answer.answers.some(({ name }) => canonicalName(name) === canonicalName(target))
    if (isInAnswer) return answered('template', answer, lasting)
    const question = questionFor(query, target)
    if (!question) return failure('the chain of aliases is too long')
    return whenKnown(this.#ask(question), verdict => join(answer, verdict))
  }

  #labels({ server }: Query, zone: DnsName) {
    const { className, typeName } = this.#settings
    return { server, zone, view: this.#view, class: className, type: typeName }
  }
}

const failure = (text: string): Verdict =>
  answered('template', emptyAnswer(rcodes.SERVFAIL, { extendedErrors: [{ code: extendedErrorCodes.OTHER, text }] }))

const join = (alias: Answer, verdict: Verdict): Verdict => {
  // Nobody here knows the target: the client may.
  if (verdict.verdict !== 'answered' || verdict.answer.rcode === rcodes.REFUSED) return answered('template', alias)
  const { rcode, answers, authority, truncated } = verdict.answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN)
    return failure(`the target of the alias got ${rcodeName(rcode)}`)
  // RFC 6604 §3: the end's RCODE; RFC 2308 §2: and its SOA.
  const soa = authority.filter(({ type }) => type === recordTypes.SOA)
  return answered('template', {
    ...alias,
    rcode,
    truncated,
    answers: [...alias.answers, ...answers],
    authority: [...alias.authority, ...soa],
  })
}
