/**
 * k8s_external: names for what services have outside of the cluster, `<service>.<namespace>.<zone>`, for resolvers that
 * are not part of it. The cluster is that of the block's `kubernetes`; the zone itself is `resolver/zone/external-*`.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, type Verdict } from '../verdict.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import type { ClusterZones } from '../zone/cluster-zones.ts'
import { ttlOption } from '../zone/directive.ts'
import { copyExternalZone } from '../zone/external-copy.ts'
import type { ExternalSettings } from '../zone/external-node.ts'
import { answerExternal, findExternalZone } from '../zone/external-zones.ts'
import { notReady } from '../zone/negative.ts'
import { isReverseName } from '../zone/settings.ts'
import type { ZoneAnswer } from '../zone/zone-answer.ts'

const NAME = 'k8s_external'

const options = {
  apex: {
    kind: 'words',
    syntax: 'LABEL',
    minimum: 1,
    maximum: 1,
    absent: 'dns',
    doc: 'the label below which the zone’s own names stand (`ns1.dns.<zone>`); it hides a namespace of that name',
  },
  ttl: ttlOption,
  headless: {
    kind: 'flag',
    doc: 'serve the ready endpoints of headless services too, together and each by its name',
  },
  fallthrough: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'NXDOMAIN is final',
    doc: 'pass names that do not exist on to the next plugin, in these zones or in all; never before the first lists are complete',
  },
} as const satisfies PropertyTable

/** RFC 1035 §2.3.1, in lower case. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

export const externalPlugin: PluginModule = {
  name: NAME,
  options,
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const zones = reader.zones(directive.arguments, block.zones)
    const primaryZone = zones.find(zone => !isReverseName(zone))
    if (primaryZone === undefined)
      reader.refuse(directive.name, 'needs a zone that is not a reverse zone: PTR records point there')
    const [apex] = values.apex[0]?.arguments ?? []
    const label = apex?.text.toLowerCase() ?? 'dns'
    if (apex && !LABEL.test(label)) reader.refuse(apex, `"${apex.text}" is not one label (like dns)`)
    const [fallthrough] = values.fallthrough
    const fallthroughZones = fallthrough ? reader.zones(fallthrough.arguments, ['.']) : []
    if (!block.directives.some(({ name }) => name.text === 'kubernetes'))
      reader.refuse(directive.name, 'needs "kubernetes" in the same server block: it serves that one’s cluster')
    const { ttl, headless } = values
    const settings = { zones, primaryZone: primaryZone ?? '.', apex: label, ttl, headless }
    return reader.finish((): Plugin => new External(settings, fallthroughZones, block))
  },
}

class External implements Plugin {
  readonly name = NAME
  readonly #settings: ExternalSettings
  readonly #fallthrough: readonly DnsName[]
  readonly #block: BlockContext
  #provider: Plugin | undefined

  constructor(settings: ExternalSettings, fallthrough: readonly DnsName[], block: BlockContext) {
    this.#settings = settings
    this.#fallthrough = fallthrough
    this.#block = block
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const zone = findExternalZone(this.#settings, query.question.canonicalName)
    if (zone === undefined) return next(query)
    const cluster = this.#cluster()
    if (!cluster) return answered(NAME, notReady())
    return whenKnown(answerExternal(cluster, this.#settings, query, zone), result =>
      this.#conclude(result, query, next),
    )
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    if (!this.#settings.zones.includes(name)) return undefined
    const cluster = this.#cluster()
    return cluster ? copyExternalZone(cluster, this.#settings, name) : { soa: undefined, records: [] }
  }

  #cluster(): ClusterZones | undefined {
    this.#provider ??= this.#block.plugins().find(plugin => plugin.cluster)
    return this.#provider?.cluster?.()
  }

  #conclude({ outcome, answer }: ZoneAnswer, query: Query, next: Next): MaybePromise<Verdict> {
    query.trace?.add(NAME, outcome === 'missing' ? 'no such name' : 'name found')
    const verdict = answered(NAME, answer)
    const { canonicalName } = query.question
    if (outcome !== 'missing' || !this.#fallthrough.some(zone => isSubdomain(canonicalName, zone))) return verdict
    query.trace?.add(NAME, 'falls through to the next plugin')
    return whenKnown(next(query), other => orElse(other, verdict))
  }
}

const orElse = (verdict: Verdict, otherwise: Verdict): Verdict =>
  verdict.verdict === 'unhandled' ? otherwise : verdict
