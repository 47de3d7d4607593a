/**
 * loadbalance: the order of the addresses and mail servers of each answer, for clients that take the first one: at random,
 * by weights from a file, those of some networks first. CNAMEs stay in front, in their order: a chain must be readable from
 * the top (RFC 1034 §3.6.2).
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import type { Random } from '#lib/random.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { type Network, parseNetwork } from '../corefile/network.ts'
import type { Directive, Property } from '../corefile/syntax.ts'
import { parseWeights, Weights } from '../loadbalance/weights.ts'
import { withTerms } from '../memo.ts'
import type { Next } from '../next.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import type { Verdict } from '../verdict.ts'
import { recordTypes } from '../wire/codes.ts'
import type { ResourceRecord } from '../wire/record.ts'

const NAME = 'loadbalance'
const policies = ['round_robin', 'weighted'] as const

const options = {
  reload: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 30_000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'time between looks at the file of weights; 0: it is read once',
  },
  prefer: {
    kind: 'words',
    syntax: 'CIDR…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'no network',
    doc: 'addresses of these networks come first, in the order of the networks',
  },
  limit_answers: {
    kind: 'number',
    syntax: 'N',
    default: undefined,
    minimum: 1,
    maximum: 65_535,
    unit: 'records',
    doc: 'A, AAAA and MX records that an answer has at most: the first N of the order; aliases stay whole',
  },
} as const satisfies PropertyTable

interface Settings {
  /** The file of weights; undefined: all are shuffled. */
  readonly path: string | undefined
  readonly reload: Milliseconds
  readonly networks: readonly Network[]
  /** Of the records that are moved. */
  readonly limit: number | undefined
}

export const loadbalancePlugin: PluginModule = {
  name: NAME,
  options,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readSettings(reader, directive, environment)
    return reader.finish((): Plugin => new Loadbalance(settings, environment))
  },
}

const readSettings = (reader: DirectiveReader, directive: Directive, { folder }: Environment): Settings => {
  const { reload, prefer, limit_answers: limit } = reader.properties(options)
  const [policyWord, file] = directive.arguments
  const policy = policyWord ? reader.choice(policyWord, policies) : 'round_robin'
  reader.limitArguments(policy === 'weighted' ? 2 : 1)
  if (policy === 'weighted' && !file) reader.refuse(directive.name, '"weighted" needs the file of weights')
  const path = policy === 'weighted' ? resolve(folder, file?.text ?? '') : undefined
  return { path, reload, networks: prefer.flatMap(property => readNetworks(reader, property)), limit }
}

const readNetworks = (reader: DirectiveReader, { arguments: words }: Property): Network[] =>
  words.flatMap(word => {
    const network = parseNetwork(word.text)
    if (network) return [network]
    reader.refuse(word, `"${word.text}" is not a network (like 10.0.0.0/8 or fd00::/8)`)
    return []
  })

class Loadbalance implements Plugin {
  readonly name = NAME
  /** What chance has ordered is not given again, but for what may take turns. */
  readonly steady = true
  readonly transparent = true
  readonly #settings: Settings
  readonly #random: Random
  readonly #logger: Logger
  readonly #looks: Recurrence
  #text: string | undefined
  #weights = new Weights()

  constructor(settings: Settings, { random, logger, clock }: Environment) {
    this.#settings = settings
    this.#random = random
    this.#logger = logger.child({ room: 'resolver', plugin: NAME })
    this.#looks = new Recurrence({ clock, interval: settings.reload, task: () => this.#look() })
  }

  async start(): Promise<void> {
    if (this.#settings.path === undefined) return
    await this.#look()
    this.#looks.begin()
  }

  async close(): Promise<void> {
    this.#looks.end()
  }

  clear(): Promise<void> {
    return this.#look()
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    return whenKnown(next(query), verdict => this.#order(verdict))
  }

  /** Reads the weights if they have changed. What is wrong is told, and those from before hold. */
  async #look(): Promise<void> {
    const { path } = this.#settings
    if (path === undefined) return
    try {
      const text = await readFile(path, 'utf8')
      if (text === this.#text) return
      this.#text = text
      const weights = parseWeights(text)
      if (weights.ok) this.#weights = weights.value
      else this.#logger.error({ path, problem: weights.problem }, 'file of weights cannot be used')
    } catch (error) {
      this.#logger.warn({ path, problem: (error as Error).message }, 'file of weights cannot be read')
    }
  }

  #order(verdict: Verdict): Verdict {
    if (verdict.verdict !== 'answered') return verdict
    const { answer } = verdict
    const answers = this.#orderSection(answer.answers, this.#settings.limit)
    const additional = this.#orderSection(answer.additional)
    if (answers === answer.answers && additional === answer.additional) return verdict
    // What is cut off now has its turn the next time.
    const isWhole = answers.length === answer.answers.length
    const mayTurn = this.#settings.path === undefined && this.#settings.networks.length === 0 && isWhole
    const ordered = { ...verdict, answer: { ...answer, answers, additional } }
    return withTerms(ordered, terms => (mayTurn ? { ...terms, turns: true } : undefined))
  }

  #orderSection(records: readonly ResourceRecord[], limit?: number): readonly ResourceRecord[] {
    if (records.length < 2) return records
    const moving = records.filter(isMoved)
    if (moving.length < 2) return records
    if (this.#settings.path === undefined) this.#shuffle(moving)
    else this.#putFirst(moving)
    const first = records.filter(({ type }) => type === recordTypes.CNAME)
    const rest = records.filter(record => !isMoved(record) && record.type !== recordTypes.CNAME)
    return [...first, ...rest, ...preferred(moving, this.#settings.networks).slice(0, limit)]
  }

  #shuffle(records: ResourceRecord[]): void {
    for (let index = records.length - 1; index > 0; index--)
      swap(records, index, Math.floor(this.#random.unit() * (index + 1)))
  }

  /** CoreDNS: an address is chosen by weight; the others stay as they were. */
  #putFirst(records: ResourceRecord[]): void {
    const addresses = [...records.entries()].filter(([, record]) => isAddress(record))
    const weights = addresses.map(([, record]) => this.#weights.of(record))
    let left = this.#random.unit() * weights.reduce((sum, weight) => sum + weight, 0)
    const chosen = weights.findIndex(weight => (left -= weight) < 0)
    if (chosen > 0) swap(records, addresses[0]![0], addresses[chosen]![0])
  }
}

const isAddress = ({ type }: ResourceRecord): boolean => type === recordTypes.A || type === recordTypes.AAAA
const isMoved = (record: ResourceRecord): boolean => isAddress(record) || record.type === recordTypes.MX

const swap = (records: ResourceRecord[], left: number, right: number): void => {
  const moved = records[left]!
  records[left] = records[right]!
  records[right] = moved
}

/** By the first network that has the address; a stable sort, so that the order among equals stays. */
const preferred = (records: ResourceRecord[], networks: readonly Network[]): ResourceRecord[] => {
  if (networks.length === 0) return records
  const ranks = new Map(records.map(record => [record, rankOf(record, networks)]))
  return records.sort((left, right) => ranks.get(left)! - ranks.get(right)!)
}

const rankOf = (record: ResourceRecord, networks: readonly Network[]): number => {
  if (!isAddress(record)) return networks.length
  const address = ipaddr.fromByteArray([...record.data])
  const rank = networks.findIndex(network => address.kind() === network[0].kind() && address.match(network))
  return rank < 0 ? networks.length : rank
}
