/** What templates know of a question, by CoreDNS's names. */
import type { RE2JS } from 're2js'
import type { Query } from '../query.ts'
import { className, typeName } from '../wire/codes.ts'
import { nameText } from '../wire/presentation-fields.ts'
import type { DnsName } from '../wire/record.ts'
import type { Value } from './value.ts'

export const questionFields: readonly string[] = [
  'Zone',
  'Name',
  'Class',
  'Type',
  'Match',
  'Group',
  'Message',
  'Question',
  'Remote',
  'Meta',
  'Var',
]

export interface Match {
  /** The whole, then the groups; `''` for one that took no part. */
  readonly groups: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

/** The name as patterns and templates see it: nothing in it can end a word of a record or begin another. */
export const templateName = ({ question }: Query): string => nameText(question.canonicalName)

/** Without patterns the whole name fits. Undefined: none fits. */
export const matchName = (patterns: readonly RE2JS[], name: string): Match | undefined => {
  if (patterns.length === 0) return { groups: [name], named: new Map([['0', name]]) }
  for (const pattern of patterns) {
    const matcher = pattern.matcher(name)
    if (!matcher.find()) continue
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? '')
    const named = new Map(groups.map((group, index) => [String(index), group]))
    for (const [key, index] of Object.entries(pattern.namedGroups())) named.set(key, groups[index] ?? '')
    return { groups, named }
  }
  return undefined
}

/** `variables`: as the directive's `var` lines made them. */
export const questionData = (
  query: Query,
  zone: DnsName,
  { groups, named }: Match,
  variables: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> => {
  const { question, metadata, client } = query
  const asked = new Map<string, Value>([
    ['Name', nameText(question.name)],
    ['Qtype', BigInt(question.type)],
    ['Qclass', BigInt(question.class)],
  ])
  const message = new Map<string, Value>([
    ['Id', BigInt(query.id)],
    ['RecursionDesired', query.recursionDesired],
    ['CheckingDisabled', query.checkingDisabled],
    ['AuthenticatedData', query.authenticData],
    ['Question', [asked]],
  ])
  return new Map<string, Value>([
    ['Zone', zone],
    ['Name', templateName(query)],
    ['Class', className(question.class)],
    ['Type', typeName(question.type)],
    ['Match', groups],
    ['Group', named],
    ['Message', message],
    ['Question', asked],
    ['Remote', client.address],
    ['Meta', key => metadata?.get(String(key)) ?? ''],
    ['Var', variables],
  ])
}
