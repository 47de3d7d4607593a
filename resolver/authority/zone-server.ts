/**
 * Answers for a set of zones that come and go (files, transfers): the longest zone that the name lies in, what to say
 * while a zone has no data, what is passed on, and aliases that lead out of the zones.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import type { Next } from '../next.ts'
import type { ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import { isSubdomain, parentName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { answerFromZone, type ZoneAnswer } from './answer.ts'
import type { AuthorityZone } from './zone.ts'

/** A zone that a server is for, whether it has its data or not. */
export interface HeldZone {
  /** Undefined: there is nothing to answer from (not read yet, broken, expired). */
  readonly zone: AuthorityZone | undefined
  /** Why there is no data. */
  readonly problem: ExtendedError
  /** Called when the zone has other data than before; set by whoever serves it. */
  onChange: (() => void) | undefined
}

export interface ZoneServerOptions {
  /** The plugin's name. */
  readonly name: string
  /** Zones below which names that are not there are passed on. */
  readonly fallthrough: readonly DnsName[]
  readonly resolveInternally: Next
}

export class ZoneServer<Held extends HeldZone = HeldZone> {
  readonly #options: ZoneServerOptions
  readonly #watchers: ((zone: DnsName) => void)[] = []
  #zones: ReadonlyMap<DnsName, Held> = new Map()

  constructor(options: ZoneServerOptions) {
    this.#options = options
  }

  /** By canonical origin. */
  get zones(): ReadonlyMap<DnsName, Held> {
    return this.#zones
  }

  /** Serves these zones from now on. */
  serve(zones: ReadonlyMap<DnsName, Held>): void {
    this.#zones = zones
    for (const [origin, zone] of zones)
      zone.onChange = () => {
        for (const onChange of this.#watchers) onChange(origin)
      }
  }

  /** Calls `onChange` with the name of each zone that has other data than before. */
  watch(onChange: (zone: DnsName) => void): void {
    this.#watchers.push(onChange)
  }

  /** The zone that a question belongs to, by its origin. */
  originFor(name: DnsName, type: number): DnsName | undefined {
    const zones = this.#zones
    let atApex: DnsName | undefined
    for (let at: DnsName | undefined = name; at !== undefined; at = parentName(at)) {
      if (!zones.has(at)) continue
      // RFC 4035 §3.1.4.1: DS at a zone's apex is data of the parent zone, where the parent is served here too.
      if (type !== recordTypes.DS || at !== name) return at
      atApex = at
    }
    return atApex
  }

  /** How well these zones fit a question, to compare with others: 0: not at all; the longer the zone the better. */
  fitOf(name: DnsName, type: number): number {
    const origin = this.originFor(name, type)
    if (origin === undefined) return 0
    // DS at an apex: only where nobody has the parent.
    return type === recordTypes.DS && origin === name ? 0.5 : origin.length
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    const held = this.#zones.get(name)
    return held && { soa: held.zone?.soa, records: held.zone?.recordsBesideSoa() ?? [] }
  }

  /** Undefined: no zone of these. */
  handle(query: Query, next: Next): MaybePromise<Verdict> | undefined {
    const { question, trace } = query
    const { name, fallthrough } = this.#options
    const origin = this.originFor(question.canonicalName, question.type)
    const held = origin === undefined ? undefined : this.#zones.get(origin)
    if (!held) return undefined
    const { zone, problem } = held
    if (!zone) {
      trace?.add(name, 'the zone has no data', { zone: origin!, problem: problem.text })
      return answered(name, emptyAnswer(rcodes.SERVFAIL, { extendedErrors: [problem] }))
    }
    const result = answerFromZone(zone, question, {
      holds: target => this.originFor(target, question.type) === zone.origin,
      dnssecOk: query.edns?.dnssecOk ?? false,
    })
    trace?.add(name, result.missing ? 'no such name' : 'answered from the zone', { zone: zone.origin })
    const verdict = answered(name, result.answer)
    if (result.outside !== undefined) return this.#follow(query, result)
    if (!result.missing || !fallthrough.some(each => isSubdomain(question.canonicalName, each))) return verdict
    trace?.add(name, 'falls through to the next plugin')
    return whenKnown(next(query), other => orElse(other, verdict))
  }

  /** RFC 1034 §4.3.1: who did not ask for recursion follows aliases by himself. */
  #follow(query: Query, { answer, outside }: ZoneAnswer): MaybePromise<Verdict> {
    const { name, resolveInternally } = this.#options
    const further = query.recursionDesired ? questionFor(query, outside!) : undefined
    if (!further) return answered(name, answer)
    return whenKnown(resolveInternally(further), verdict => answered(name, joinAnswer(answer, verdict)))
  }
}

/** Where nobody further down has the name either, the zone's NXDOMAIN is the answer. */
const orElse = (verdict: Verdict, otherwise: Verdict): Verdict =>
  verdict.verdict === 'unhandled' ? otherwise : verdict

/** The aliases, and what their end has. */
const joinAnswer = (aliases: Answer, verdict: Verdict): Answer => {
  // Nobody here is for the target's zone: the aliases are all that this server has to say.
  if (verdict.verdict !== 'answered' || verdict.answer.rcode === rcodes.REFUSED) return aliases
  const { rcode, answers, authority, truncated, extendedErrors = [] } = verdict.answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) {
    const text = `the target of the alias got ${rcodeName(rcode)}`
    return emptyAnswer(rcodes.SERVFAIL, {
      answers: aliases.answers,
      extendedErrors: [...extendedErrors, { code: extendedErrorCodes.OTHER, text }],
    })
  }
  return {
    ...aliases,
    // RFC 6604 §3: the end's RCODE; RFC 2308 §2: and its SOA, so that a negative end can be kept.
    rcode,
    answers: [...aliases.answers, ...answers],
    authority: authority.filter(({ type }) => type === recordTypes.SOA),
    truncated,
    extendedErrors,
  }
}
