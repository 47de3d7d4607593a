/**
 * policy: which names the pods of a namespace may ask for. The lines of a block's `policy` directives are one list: the
 * first that fits the client's namespace and the name decides; where none does, the question passes.
 *
 * Promised: a client that no pod is known for is never told that a name does not exist where the rules would say
 * otherwise if it were known (a pod's first question may come before its address is seen here): SERVFAIL until then.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import { type Action, type Asked, type Asker, actions, decide, type Rule, readRule } from '../policy/rule.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import { soaRecord } from '../zone/apex.ts'
import { clientNamespace } from '../zone/client-namespace.ts'
import type { ClusterZones } from '../zone/cluster-zones.ts'
import { parseRequest } from '../zone/names.ts'

const NAME = 'policy'

const rule = {
  kind: 'words',
  syntax: '[from WHO…] [to WHAT…]',
  minimum: 0,
  maximum: Number.POSITIVE_INFINITY,
  repeatable: true,
  absent: 'questions that no line is for pass',
} as const

const options = {
  allow: { ...rule, doc: 'let the question pass' },
  hide: { ...rule, doc: 'NXDOMAIN, as if there were no such name, with the extended error Blocked' },
  refuse: { ...rule, doc: 'REFUSED, with the extended error Prohibited' },
  audit: { kind: 'flag', doc: 'of all lines of the block: count and log what they would deny, and let it pass' },
} as const satisfies PropertyTable

const metrics = {
  denied: {
    kind: 'counter',
    name: 'seamark_policy_denied_total',
    help: 'Questions that a policy denies, by what it says (hide, refuse, unclear) and whether it is in force or on trial.',
    labels: ['server', 'view', 'action', 'audit'],
  },
} as const satisfies MetricTable

/** One directive. */
interface Policy {
  readonly zones: readonly DnsName[]
  readonly rules: readonly Rule[]
  readonly audit: boolean
}

type Denial = Exclude<Action, 'allow'> | 'unclear'

/** Milliseconds between lines in the log. */
const LOG_PAUSE = 1000

export const policyPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const own = readPolicy(reader, directive, block)
    if (!block.directives.some(({ name }) => name.text === 'kubernetes'))
      reader.refuse(directive.name, 'needs "kubernetes" in this server block: it knows the pods')
    return reader.finish((): Plugin => {
      // The instance of the block's first directive decides for them all.
      const [first, ...others] = block.directives.filter(({ name }) => name.text === NAME)
      if (first !== directive) return { name: NAME }
      const policies = [own, ...others.map(other => readPolicy(new DirectiveReader(other), other, block))]
      return new PolicyPlugin(policies, block, environment)
    })
  },
}

const isAction = (text: string): text is Action => actions.some(action => action === text)

const readPolicy = (reader: DirectiveReader, directive: Directive, block: BlockContext): Policy => {
  const { audit } = reader.properties(options)
  const lines = directive.properties.filter(({ name }) => isAction(name.text))
  if (lines.length === 0) reader.refuse(directive.name, 'needs a line (like "hide to cluster")')
  const zones = reader.zones(directive.arguments, block.zones)
  return { zones, audit, rules: lines.map(line => readRule(reader, line)) }
}

class PolicyPlugin implements Plugin {
  readonly name = NAME
  readonly #policies: readonly Policy[]
  readonly #audit: boolean
  readonly #block: BlockContext
  readonly #environment: Environment
  readonly #metrics: Metrics<typeof metrics>
  #lastLine = Number.NEGATIVE_INFINITY

  constructor(policies: readonly Policy[], block: BlockContext, environment: Environment) {
    this.#policies = policies
    this.#audit = policies.some(({ audit }) => audit)
    this.#block = block
    this.#environment = environment
    this.#metrics = registerMetrics(environment.registry, metrics)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const cluster = this.#cluster()
    const name = query.question.canonicalName
    const asker = askerOf(query, cluster)
    const action = decide(this.#rulesFor(name), asker, askedOf(name, cluster))
    const denial = action === 'allow' ? undefined : this.#deny(query, action, asker, cluster)
    if (denial) return denial
    return whenKnown(next(query), verdict => this.#judgeTargets(query, verdict, asker, cluster) ?? verdict)
  }

  #cluster(): ClusterZones | undefined {
    return this.#block
      .plugins()
      .find(plugin => plugin.cluster)
      ?.cluster?.()
  }

  /** Of the directives whose zones hold one of the names. */
  #rulesFor(...names: readonly DnsName[]): readonly Rule[] {
    const isFor = (zone: DnsName): boolean => names.some(name => isSubdomain(name, zone))
    return this.#policies.flatMap(({ zones, rules }) => (zones.some(isFor) ? rules : []))
  }

  /** What an address is the name of, and where an alias leads, shows in the answer alone. */
  #judgeTargets(query: Query, verdict: Verdict, asker: Asker, cluster: ClusterZones | undefined): Verdict | undefined {
    if (verdict.verdict !== 'answered') return undefined
    for (const { type, data } of verdict.answer.answers) {
      if (type !== recordTypes.PTR && type !== recordTypes.CNAME) continue
      const name = canonicalName(nameData.decode(data))
      const action = decide(this.#rulesFor(name, query.question.canonicalName), asker, askedOf(name, cluster))
      const denial = action === 'allow' ? undefined : this.#deny(query, action, asker, cluster)
      if (denial) return denial
    }
    return undefined
  }

  /** Undefined: it is only on trial. */
  #deny(query: Query, action: Denial, asker: Asker, cluster: ClusterZones | undefined): Verdict | undefined {
    const { server, question, client: endpoint } = query
    query.trace?.add(NAME, 'a line is for this question', { action, namespace: asker.namespace ?? 'unknown' })
    this.#metrics.denied.inc({ server, view: this.#block.view, action, audit: String(this.#audit) })
    if (query.received - this.#lastLine >= LOG_PAUSE) {
      const fields = { plugin: NAME, action, audit: this.#audit, name: question.name, client: endpoint.address }
      this.#environment.logger.info({ ...fields, namespace: asker.namespace ?? '' }, 'a policy denies a question')
      this.#lastLine = query.received
    }
    return this.#audit ? undefined : denialOf(query, action, cluster)
  }
}

const askerOf = ({ client }: Query, cluster: ClusterZones | undefined): Asker => ({
  namespace: cluster && clientNamespace(cluster.options.index, client.address),
  labelsOf: namespace => cluster?.options.index.namespaceLabels(namespace) ?? {},
})

const askedOf = (name: DnsName, cluster: ClusterZones | undefined): Asked => {
  const zone = cluster?.findZone(name)
  if (!zone) return { name, inCluster: false, namespace: undefined }
  const request = parseRequest(name, zone)
  return { name, inCluster: true, namespace: 'namespace' in request ? request.namespace : undefined }
}

const because = (code: number, text: string) => ({ extendedErrors: [{ code, text }] })

const denialOf = (query: Query, action: Denial, cluster: ClusterZones | undefined): Verdict => {
  switch (action) {
    case 'refuse':
      // RFC 8914 §4.19.
      return answered(NAME, emptyAnswer(rcodes.REFUSED, because(extendedErrorCodes.PROHIBITED, 'by policy')))
    case 'hide':
      return answered(NAME, hidden(query, cluster))
    case 'unclear':
      // RFC 8914 §4.15.
      return answered(
        NAME,
        emptyAnswer(
          rcodes.SERVFAIL,
          because(extendedErrorCodes.NOT_READY, 'no pod is known at this address, and a policy goes by namespaces'),
        ),
      )
  }
}

/** RFC 2308 §3: a denial carries the SOA of its zone, where the zone is ours. */
const hidden = ({ question }: Query, cluster: ClusterZones | undefined) => {
  const zone = cluster?.findZone(question.canonicalName)
  const authority = cluster && zone ? [soaRecord(cluster.lookup(question.name, zone))] : []
  return emptyAnswer(rcodes.NXDOMAIN, {
    authoritative: zone !== undefined,
    authority,
    ...because(extendedErrorCodes.BLOCKED, 'by policy'),
  })
}
