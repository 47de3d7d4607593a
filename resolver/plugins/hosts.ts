/**
 * hosts: answers A, AAAA and PTR from a hosts file and from lines of the Corefile. Names that are there but have no
 * record of the type get an empty answer; what is not there goes on (`fallthrough`) or is NXDOMAIN. All that passes here
 * rests on the file, also what goes on: when it changes, no answer from before is given again.
 */
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive, Property } from '../corefile/syntax.ts'
import { HostsTable } from '../hosts/hosts-table.ts'
import { EVERYTHING } from '../memo.ts'
import { lasting } from '../memo-terms.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import { aaaaData, aData, nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const options = {
  ttl: {
    kind: 'number',
    syntax: 'SECONDS',
    default: 3600,
    minimum: 1,
    maximum: 65_535,
    unit: 'seconds',
    doc: 'TTL of the answers',
  },
  no_reverse: { kind: 'flag', doc: 'make no PTR records of the lines' },
  reload: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 5000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'time between looks at the file; 0: it is read once',
  },
  fallthrough: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'NXDOMAIN for what is not there',
    doc: 'pass names on that are not there (below the zones, if some are named)',
  },
  fallthrough_unsupported: {
    kind: 'flag',
    doc: 'pass on, as fallthrough does with other names, questions for names that are there and a type that no line can hold',
  },
} as const satisfies PropertyTable

const metrics = {
  entries: {
    kind: 'gauge',
    name: 'coredns_hosts_entries',
    help: 'Pairs of name and address, of the file and of the Corefile.',
    labels: [],
  },
  reloaded: {
    kind: 'gauge',
    name: 'coredns_hosts_reload_timestamp_seconds',
    help: 'When the file was read last, in seconds since 1970.',
    labels: [],
  },
} as const satisfies MetricTable

interface Settings {
  readonly path: string
  readonly zones: readonly DnsName[]
  readonly ttl: number
  readonly reverse: boolean
  readonly reload: Milliseconds
  /** Undefined: no fallthrough. */
  readonly fallthrough: readonly DnsName[] | undefined
  /** Whether types without a line fall through, too. */
  readonly fallsByType: boolean
  readonly inline: readonly Property[]
}

/** CoreDNS: a line in the braces that starts with an address is a line of the table. */
const isHostLine = ({ name }: Property): boolean => isIP(name.text.replace(/%.*$/, '')) !== 0

export const hostsPlugin: PluginModule = {
  name: 'hosts',
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readSettings(reader, directive, block, environment.folder)
    return reader.finish((): Plugin => new Hosts(settings, environment))
  },
}

const readSettings = (reader: DirectiveReader, directive: Directive, block: BlockContext, folder: string): Settings => {
  const values = reader.properties(options, isHostLine)
  const inline = directive.properties.filter(isHostLine)
  for (const line of inline) if (line.arguments.length === 0) reader.refuse(line.name, 'needs a name after the address')
  const [file, ...zones] = directive.arguments
  const fallthrough = values.fallthrough[0]
  if (values.fallthrough_unsupported && !fallthrough)
    reader.refuse(directive.name, 'fallthrough_unsupported needs fallthrough')
  return {
    path: resolve(folder, file?.text ?? '/etc/hosts'),
    zones: reader.zones(zones, block.zones),
    ttl: values.ttl,
    reverse: !values.no_reverse,
    reload: values.reload,
    fallthrough: fallthrough && reader.zones(fallthrough.arguments, ['.']),
    fallsByType: values.fallthrough_unsupported,
    inline,
  }
}

class Hosts implements Plugin {
  readonly name = 'hosts'
  readonly steady = true
  readonly #settings: Settings
  readonly #environment: Environment
  readonly #metrics: Metrics<typeof metrics>
  #table: HostsTable
  readonly #looks: Recurrence
  #fingerprint = ''

  constructor(settings: Settings, environment: Environment) {
    this.#settings = settings
    this.#environment = environment
    this.#metrics = registerMetrics(environment.registry, metrics)
    this.#table = this.#build('')
    const { clock } = environment
    this.#looks = new Recurrence({ clock, interval: settings.reload, task: () => this.#check() })
  }

  async start(): Promise<void> {
    await this.#check()
    this.#looks.begin()
  }

  async close(): Promise<void> {
    this.#looks.end()
  }

  /** Reads the file again, whether it looks changed or not. */
  async clear(): Promise<void> {
    this.#fingerprint = ''
    await this.#check()
  }

  statistics(): Readonly<Record<string, unknown>> {
    return { file: this.#settings.path, entries: this.#table.entries }
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName: name, type } = query.question
    const { zones, reverse, fallthrough, fallsByType } = this.#settings
    const isReverse = reverse && type === recordTypes.PTR
    if (!isReverse && !zones.some(zone => isSubdomain(name, zone))) return next(query)
    const answers = isReverse ? this.#pointers(query) : this.#addresses(query)
    const isOthers = !answers || (fallsByType && type !== recordTypes.A && type !== recordTypes.AAAA)
    // A PTR that is not here may be anybody's: addresses are not ours by zone.
    if (isReverse && !answers) return next(query)
    if (!isReverse && isOthers && fallthrough?.some(zone => isSubdomain(name, zone))) return next(query)
    // RFC 8020 §2: NXDOMAIN would deny the names below, too.
    const exists = answers !== undefined || zones.includes(name) || this.#table.hasNamesBelow(name)
    const rcode = exists ? rcodes.NOERROR : rcodes.NXDOMAIN
    query.trace?.add('hosts', answers ? 'name found' : 'name not found', { records: answers?.length ?? 0 })
    const answer = emptyAnswer(rcode, { authoritative: true, answers: answers ?? [] })
    return answered('hosts', answer, () => ({ ...lasting(), echoesCase: true }))
  }

  /** Undefined: the name is not in the table. */
  #addresses({ question }: Query): ResourceRecord[] | undefined {
    const found = this.#table.addressesOf(question.canonicalName)
    if (!found) return undefined
    const { name, type } = question
    const base = { name, type, class: 1, ttl: this.#settings.ttl }
    if (type === recordTypes.A) return found.v4.map(address => ({ ...base, data: aData.encode(address) }))
    if (type === recordTypes.AAAA) return found.v6.map(address => ({ ...base, data: aaaaData.encode(address) }))
    return []
  }

  #pointers({ question: { name, canonicalName, type } }: Query): ResourceRecord[] | undefined {
    const names = this.#table.namesOf(canonicalName)
    if (names.length === 0) return undefined
    return names.map(target => ({ name, type, class: 1, ttl: this.#settings.ttl, data: nameData.encode(target) }))
  }

  async #check(): Promise<void> {
    const { path } = this.#settings
    const { logger, clock } = this.#environment
    try {
      const { mtimeMs, size, ino } = await stat(path)
      const fingerprint = `${mtimeMs} ${size} ${ino}`
      if (fingerprint === this.#fingerprint) return
      const text = await readFile(path, 'utf8')
      if (this.#looks.ended) return
      this.#table = this.#build(text)
      this.#environment.board.changed(EVERYTHING)
      this.#fingerprint = fingerprint
      this.#metrics.reloaded.set(clock.now() / 1000)
    } catch (error) {
      // As CoreDNS: a file that is not there yet holds no names; one that went away keeps those it had.
      if (this.#fingerprint !== 'unreadable')
        logger.warn({ path, problem: (error as Error).message }, 'hosts file cannot be read')
      this.#fingerprint = 'unreadable'
    }
    this.#metrics.entries.set(this.#table.entries)
  }

  #build(text: string): HostsTable {
    const table = new HostsTable()
    table.addText(text)
    for (const { name, arguments: words } of this.#settings.inline)
      table.add(
        name.text,
        words.map(word => word.text),
      )
    return table
  }
}
