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

/**
 * Text of the beginning or of a part of a name. CoreDNS (as of 1.15) ends it with a dot, so that whole labels are meant; a
 * text of nothing stays so, to put labels in front or to take them away.
 */
const labels = (text: string): string => (text === '' ? '' : absolute(text))

/** RFC 1035 §2.3.4 holds for what a rule makes, too. */
const checked = (text: string): DnsName | undefined => {
  const name = parseName(text)
  return name.ok ? canonicalName(name.value) : undefined
}

export const readMatcher = (kind: MatchKind, from: string): Result<(name: DnsName) => boolean, string> => {
  const whole = absolute(from)
  switch (kind) {
    case 'exact':
      return accepted(name => name === whole)
    case 'prefix': {
      const beginning = labels(from)
      return accepted(name => name.startsWith(beginning))
    }
    case 'suffix':
      return accepted(name => name.endsWith(whole))
    case 'substring':
      return accepted(name => name.includes(whole))
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
  const matches = matcher.value
  const replace = replacement(kind, from, to)
  return accepted(name => (matches(name) ? checked(replace(name)) : undefined))
}

const replacement = (kind: Exclude<MatchKind, 'regex'>, from: string, to: string): ((name: string) => string) => {
  const whole = absolute(to)
  switch (kind) {
    case 'exact':
      return () => whole
    case 'prefix': {
      const { length } = labels(from)
      const beginning = labels(to)
      return name => beginning + name.slice(length)
    }
    case 'suffix': {
      const { length } = absolute(from)
      return name => name.slice(0, -length) + whole
    }
    case 'substring': {
      const text = absolute(from)
      // Between two dots one of them has to stay.
      const instead = text.startsWith('.') ? whole : labels(to)
      return name => name.replaceAll(text, () => instead)
    }
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
