/** How a rule finds names and what it makes of them. Names are matched canonical, patterns are RE2. */
import type { RE2JS } from 're2js'
import { accepted, type Result, refused } from '#lib/result.ts'
import { compilePattern } from '../corefile/pattern.ts'
import { canonicalName, parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export const MATCHES = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const
export type MatchKind = (typeof MATCHES)[number]

/** Undefined: the name does not match, or what would become of it is no name. */
export type NameRewriter = (name: DnsName) => DnsName | undefined

/** The same, with what other plugins know of the question: where they know nothing, it does not match. */
export type MetadataRewriter = (name: DnsName, metadata: ReadonlyMap<string, string> | undefined) => DnsName | undefined

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
      const pattern = compilePattern(from)
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

const GROUP = /\{(\d+)\}/g

/** A pattern whose groups are all that `to` uses. */
const readGroups = (from: string, to: string): Result<RE2JS, string> => {
  const pattern = compilePattern(from)
  if (!pattern.ok) return pattern
  const groups = pattern.value.matcher('').groupCount()
  const unknown = [...to.matchAll(GROUP)].find(([, group]) => Number(group) > groups)
  return unknown ? refused(`"${to}" uses ${unknown[0]}, but "${from}" has ${groups} groups`) : pattern
}

/** The whole name becomes `to`; `{1}` there is what the first group matched, `{0}` what all of it did. */
const regexRewriter = (from: string, to: string): Result<NameRewriter, string> => {
  const pattern = readGroups(from, to)
  if (!pattern.ok) return pattern
  return accepted(name => {
    const matcher = pattern.value.matcher(name)
    if (!matcher.find()) return undefined
    return checked(absolute(to.replaceAll(GROUP, (_, group: string) => matcher.group(Number(group)) ?? '')))
  })
}

const PLACEHOLDER = /\{([^{}]*)\}/g
/** `kubernetes/client-namespace`, `kubernetes/client-label/app.kubernetes.io/name`. */
const LABEL = /^[^/\s]+(?:\/[^/\s]+)+$/

/** The same, and `{PLUGIN/LABEL}` in `to` is what `metadata` has under this label. */
export const readMetadataRewriter = (from: string, to: string): Result<MetadataRewriter, string> => {
  const pattern = readGroups(from, to)
  if (!pattern.ok) return pattern
  const wrong = [...to.matchAll(PLACEHOLDER)].find(([, inside = '']) => !/^\d+$/.test(inside) && !LABEL.test(inside))
  if (wrong) return refused(`${wrong[0]} is neither a group nor a label like {kubernetes/client-namespace}`)
  if (/[{}]/.test(to.replaceAll(PLACEHOLDER, ''))) return refused(`"${to}" has a brace without its other half`)
  return accepted((name, metadata) => {
    const matcher = pattern.value.matcher(name)
    if (!matcher.find()) return undefined
    let isKnown = true
    const text = to.replaceAll(PLACEHOLDER, (_, inside: string) => {
      if (/^\d+$/.test(inside)) return matcher.group(Number(inside)) ?? ''
      const value = metadata?.get(inside) ?? ''
      isKnown &&= value !== ''
      return value
    })
    return isKnown ? checked(absolute(text)) : undefined
  })
}
