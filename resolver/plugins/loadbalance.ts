/**
 * loadbalance: shuffles the addresses and mail servers of each answer, so that clients that take the first one spread.
 * CNAMEs stay in front, in their order: a chain must be readable from the top (RFC 1034 §3.6.2).
 */
import type { Random } from '#lib/random.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Verdict } from '../verdict.ts'
import { recordTypes } from '../wire/codes.ts'
import type { ResourceRecord } from '../wire/record.ts'

const policies = ['round_robin'] as const

export const loadbalancePlugin: PluginModule = {
  name: 'loadbalance',
  setup(directive, _block, { random }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    reader.noProperties()
    for (const word of directive.arguments) reader.choice(word, policies)
    return reader.finish(
      (): Plugin => ({
        name: 'loadbalance',
        handle(query, next) {
          const verdict = next(query)
          return verdict instanceof Promise ? verdict.then(value => shuffled(value, random)) : shuffled(verdict, random)
        },
      }),
    )
  },
}

const isShuffled = ({ type }: ResourceRecord): boolean =>
  type === recordTypes.A || type === recordTypes.AAAA || type === recordTypes.MX

const shuffled = (verdict: Verdict, random: Random): Verdict => {
  if (verdict.verdict !== 'answered') return verdict
  const { answer } = verdict
  const answers = shuffleSection(answer.answers, random)
  const additional = shuffleSection(answer.additional, random)
  if (answers === answer.answers && additional === answer.additional) return verdict
  return { ...verdict, answer: { ...answer, answers, additional } }
}

const shuffleSection = (records: readonly ResourceRecord[], random: Random): readonly ResourceRecord[] => {
  const moving = records.filter(isShuffled)
  if (moving.length < 2) return records
  for (let index = moving.length - 1; index > 0; index--) {
    const other = Math.floor(random.unit() * (index + 1))
    const swapped = moving[index]!
    moving[index] = moving[other]!
    moving[other] = swapped
  }
  const first = records.filter(({ type }) => type === recordTypes.CNAME)
  const rest = records.filter(record => !isShuffled(record) && record.type !== recordTypes.CNAME)
  return [...first, ...rest, ...moving]
}
