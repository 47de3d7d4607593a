/** How a rule finds names and what it makes of them. Names are matched canonical, patterns are RE2. */
import { RE2JS } from 're2js'
import { accepted, type Result, refused } from '#lib/result.ts'
import { canonicalName, parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export const MATCHES = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const
export type MatchKind = (typeof MATCHES)[number]

/** Undefined: the name does not match, or what would become of it is no name. */
export type NameRewriter = (name: DnsName) => DnsName | undefined

/** The name `from` as text of a name's whole or end: lower case, with the final dot. */
const absolute = (text: string): string => canonicalName(text.endsWith('.') ? text : `${text}.`)

/** RFC 1035 §2.3.4 holds for what a rule makes, too. */
const checked = (text: string): DnsName | undefined => {
  const name = parseName(text)
  return name.ok ? canonicalName(name.value) : undefined
}

export const readMatcher = (kind: MatchKind, from: string): Result<(name: DnsName) => boolean, string> => {
  const text = canonicalName(from)
  switch (kind) {
    case 'exact':
      return accepted(name => name === absolute(from))
    case 'prefix':
      return accepted(name => name.startsWith(text))
    case 'suffix':
      return accepted(name => name.endsWith(absolute(from)))
    case 'substring':
      return accepted(name => name.includes(text))
    case 'regex': {
      const pattern = readPattern(from)
      return pattern.ok ? accepted(name => pattern.value.matcher(name).find()) : pattern
    }
  }
}

export const readRewriter = (kind: MatchKind, from: string, to: string): Result<NameRewriter, string> => {
  const matcher = readMatcher(kind, from)
  if (!matcher.ok) return matcher
  if (kind === 'regex') return regexRewriter(from, to)
  if ((kind === 'prefix' || kind === 'substring') && meansLabels(from, to))
    return readRewriter(kind, absolute(from), absolute(to))
  const matches = matcher.value
  const replace = replacement(kind, from, to)
  return accepted(name => (matches(name) ? checked(replace(name)) : undefined))
}

/**
 * CoreDNS ends both texts with a dot: where one of them has it, whole labels are meant. Not where labels are put in front, or
 * taken away with the dot behind them: another dot would be looked for, or left over.
 */
const meansLabels = (from: string, to: string): boolean =>
  from.endsWith('.') !== to.endsWith('.') && from !== '' && (to !== '' || from.startsWith('.'))

const replacement = (kind: Exclude<MatchKind, 'regex'>, from: string, to: string): ((name: string) => string) => {
  const text = canonicalName(from)
  switch (kind) {
    case 'exact':
      return () => absolute(to)
    case 'prefix':
      return name => to + name.slice(text.length)
    case 'suffix':
      return name => name.slice(0, -absolute(from).length) + absolute(to)
    case 'substring':
      return name => name.replaceAll(text, () => to)
  }
}

const readPattern = (text: string): Result<RE2JS, string> => {
  try {
    return accepted(RE2JS.compile(text))
  } catch (error) {
    return refused(`"${text}" is no regular expression: ${error instanceof Error ? error.message : error}`)
  }
}

/** The whole name becomes `to`; `{1}` there is what the first group matched, `{0}` what all of it did. */
const regexRewriter = (from: string, to: string): Result<NameRewriter, string> => {
  const pattern = readPattern(from)
  if (!pattern.ok) return pattern
  const groups = pattern.value.matcher('').groupCount()
  const unknown = [...to.matchAll(/\{(\d+)\}/g)].find(([, group]) => Number(group) > groups)
  if (unknown) return refused(`"${to}" uses ${unknown[0]}, but "${from}" has ${groups} groups`)
  return accepted(name => {
    const matcher = pattern.value.matcher(name)
    if (!matcher.find()) return undefined
    return checked(absolute(to.replaceAll(/\{(\d+)\}/g, (_, group: string) => matcher.group(Number(group)) ?? '')))
  })
}
