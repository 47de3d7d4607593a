/**
 * filter: takes record types out of what other servers would say, dnsmasq's filter-A, filter-AAAA and filter-rr. The name
 * stays: a question for such a type gets an empty answer with SOA, never NXDOMAIN, and nobody else is asked.
 *
 * It stands behind all plugins with data of their own, so that names of the cluster, of hosts and of zones keep theirs.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { synthesizedSoa } from '../synthesized-soa.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes, typeName } from '../wire/codes.ts'
import { isSubdomain, ROOT } from '../wire/name.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const options = {
  except: {
    kind: 'words',
    syntax: 'ZONE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'zones whose names keep all types',
  },
  single_family: {
    kind: 'flag',
    doc: 'also A or AAAA, where this server’s machine (in a pod: the pod, as all pods of the cluster) has no address of that family but loopback and link-local ones',
  },
  ttl: {
    kind: 'number',
    syntax: 'SECONDS',
    default: 60,
    minimum: 0,
    maximum: 3600,
    unit: 'seconds',
    doc: 'how long clients may keep an empty answer',
  },
} as const satisfies PropertyTable

const metrics = {
  filtered: {
    kind: 'counter',
    name: 'seamark_filter_filtered_total',
    help: 'Questions that got an empty answer because their type is filtered.',
    labels: ['server', 'type'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly types: ReadonlySet<number>
  readonly singleFamily: boolean
  readonly zones: readonly DnsName[]
  readonly except: readonly DnsName[]
  /** Seconds. */
  readonly ttl: number
}

export const filterPlugin: PluginModule = {
  name: 'filter',
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const types = new Set(directive.arguments.map(word => readType(reader, word)))
    if (types.size === 0 && !values.single_family) reader.refuse(directive.name, 'needs a type, or single_family')
    const except = values.except.flatMap(({ arguments: words }) => reader.zones(words, []))
    const settings = { types, singleFamily: values.single_family, zones: block.zones, except, ttl: values.ttl }
    return reader.finish((): Plugin => new Filter(settings, environment))
  },
}

/** Types without which names cannot be looked up, or that are no records. */
const needed = new Set<number>([recordTypes.CNAME, recordTypes.SOA, recordTypes.NS, recordTypes.OPT, recordTypes.ANY])

const readType = (reader: DirectiveReader, word: Word): number => {
  const type = reader.recordType(word)
  if (needed.has(type)) reader.refuse(word, `${typeName(type)} cannot be filtered`)
  return type
}

class Filter implements Plugin {
  readonly name = 'filter'
  readonly #settings: Settings
  readonly #families: AbsentFamilies
  readonly #metrics: Metrics<typeof metrics>

  constructor(settings: Settings, { clock, localAddresses, registry }: Environment) {
    this.#settings = settings
    this.#families = new AbsentFamilies(clock, localAddresses)
    this.#metrics = registerMetrics(registry, metrics)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName, type } = query.question
    if (this.#settings.except.some(zone => isSubdomain(canonicalName, zone))) return next(query)
    const reason = this.#reasonAgainst(type)
    if (reason !== undefined) return this.#empty(query, reason)
    return whenKnown(next(query), verdict => this.#without(verdict))
  }

  /** Undefined: the type passes. */
  #reasonAgainst(type: number): string | undefined {
    if (this.#settings.types.has(type)) return `records of type ${typeName(type)} are filtered here`
    if (this.#settings.singleFamily && this.#families.has(type))
      return `records of type ${typeName(type)} are filtered here: this cluster has no such addresses`
    return undefined
  }

  #empty({ question, server, trace }: Query, text: string): Verdict {
    this.#metrics.filtered.inc({ server, type: typeName(question.type) })
    trace?.add('filter', 'type is filtered', { type: typeName(question.type) })
    const zone = this.#settings.zones.find(name => isSubdomain(question.canonicalName, name)) ?? ROOT
    return answered(
      'filter',
      emptyAnswer(rcodes.NOERROR, {
        recursionAvailable: true,
        authority: [synthesizedSoa(zone, this.#settings.ttl)],
        // RFC 8914 §4.18.
        extendedErrors: [{ code: extendedErrorCodes.FILTERED, text }],
      }),
    )
  }

  /** What comes along unasked: ANY, and addresses of other names. */
  #without(verdict: Verdict): Verdict {
    if (verdict.verdict !== 'answered') return verdict
    const { answer } = verdict
    const passes = ({ type }: ResourceRecord) => this.#reasonAgainst(type) === undefined
    if (answer.answers.every(passes) && answer.additional.every(passes)) return verdict
    const { answers, additional } = answer
    return { ...verdict, answer: { ...answer, answers: answers.filter(passes), additional: additional.filter(passes) } }
  }
}

/** Interfaces come and go, seldom. */
const LOOK_INTERVAL: Milliseconds = 10_000

/** A and AAAA, where the machine has no address of the family that reaches beyond its links. */
class AbsentFamilies {
  readonly #clock: Clock
  readonly #localAddresses: () => readonly string[]
  #looked: Milliseconds = Number.NEGATIVE_INFINITY
  #absent: ReadonlySet<number> = new Set()

  constructor(clock: Clock, localAddresses: () => readonly string[]) {
    this.#clock = clock
    this.#localAddresses = localAddresses
  }

  has(type: number): boolean {
    if (type !== recordTypes.A && type !== recordTypes.AAAA) return false
    const now = this.#clock.monotonic()
    if (now - this.#looked >= LOOK_INTERVAL) {
      this.#looked = now
      this.#absent = absentFrom(this.#localAddresses())
    }
    return this.#absent.has(type)
  }
}

/** Neither, where the machine has no address at all: it is not known then what clients have. */
const absentFrom = (addresses: readonly string[]): ReadonlySet<number> => {
  const global = addresses.filter(address => !/^(?:169\.254\.|fe[89ab][0-9a-f]:)/i.test(address))
  if (global.length === 0) return new Set()
  const v6 = global.some(address => address.includes(':'))
  const v4 = global.some(address => !address.includes(':'))
  return new Set([...(v4 ? [] : [recordTypes.A]), ...(v6 ? [] : [recordTypes.AAAA])])
}
