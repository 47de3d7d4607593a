/**
 * sample: of long answers clients over UDP get so many addresses, another part each time, instead of a truncated answer
 * that some of them never ask again about. Over TCP they get all.
 *
 * Promised: each address is in the same share of the answers. The records that an answer has around its addresses stay.
 */
import { whenKnown } from '#lib/maybe-promise.ts'
import type { Random } from '#lib/random.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { recordTypes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const NAME = 'sample'

const COUNT = { minimum: 1, maximum: 1000, unit: 'addresses' } as const

const metrics = {
  sampled: {
    kind: 'counter',
    name: 'seamark_sample_answers_total',
    help: 'Answers over UDP that a part of the addresses was chosen for.',
    labels: ['server', 'view'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly count: number
  readonly random: Random
  readonly view: string
  readonly counters: Metrics<typeof metrics>
}

export const samplePlugin: PluginModule = {
  name: NAME,
  metrics,
  setup(directive, block, { random, registry }) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    const word = directive.arguments.at(-1)
    if (!word) reader.refuse(directive.name, 'needs a number of addresses, after the zones')
    const count = word ? reader.number(word, COUNT) : 1
    const zones = reader.zones(directive.arguments.slice(0, -1), block.zones)
    return reader.finish((): Plugin => {
      const settings = { zones, count, random, view: block.view, counters: registerMetrics(registry, metrics) }
      return {
        name: NAME,
        handle: (query, next) => whenKnown(next(query), verdict => sampled(settings, query, verdict)),
      }
    })
  },
}

const sampled = (settings: Settings, query: Query, verdict: Verdict): Verdict => {
  const { zones, count, counters, view } = settings
  const { type, canonicalName } = query.question
  if (query.transport !== 'udp' || verdict.verdict !== 'answered') return verdict
  if (type !== recordTypes.A && type !== recordTypes.AAAA) return verdict
  if (verdict.answer.answers.length <= count || !zones.some(zone => isSubdomain(canonicalName, zone))) return verdict
  const answer = withPart(verdict.answer, type, settings)
  if (!answer) return verdict
  counters.sampled.inc({ server: query.server, view })
  return answered(verdict.by, answer)
}

/** A run of the addresses from a random one on, around the end: all are equally likely. Undefined: there are not more. */
const withPart = (answer: Answer, type: number, { count, random }: Settings): Answer | undefined => {
  const addresses = answer.answers.filter(record => record.type === type)
  if (addresses.length <= count) return undefined
  const first = Math.floor(random.unit() * addresses.length)
  const part: ResourceRecord[] = []
  for (let index = 0; index < count; index++) part.push(addresses[(first + index) % addresses.length]!)
  return { ...answer, answers: [...answer.answers.filter(record => record.type !== type), ...part] }
}
