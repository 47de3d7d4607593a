/** The lines of a `policy`: who may ask for what. */
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import { suggestion } from '../corefile/nearest.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export const actions = ['allow', 'hide', 'refuse'] as const
export type Action = (typeof actions)[number]

/** What a question is about, as far as rules care. */
export interface Asked {
  /** Canonical. */
  readonly name: DnsName
  /** Whether the name lies in a zone of the cluster. */
  readonly inCluster: boolean
  /** Of the service or pod that the name is of; absent: it is of none. */
  readonly namespace: string | undefined
}

/** `perhaps`: it depends on the client's namespace, which is not known. */
export type Fit = 'yes' | 'no' | 'perhaps'

type Source = { readonly kind: 'namespace'; readonly name: string } | { readonly kind: 'unknown' }

type Target =
  /** Of the client's own namespace. */
  | { readonly kind: 'own' }
  /** Of some namespace. */
  | { readonly kind: 'cluster' }
  /** Outside of the cluster's zones. */
  | { readonly kind: 'external' }
  | { readonly kind: 'namespace'; readonly name: string }
  | { readonly kind: 'suffix'; readonly zone: DnsName }

export interface Rule {
  readonly action: Action
  /** Undefined: everybody. */
  readonly sources: readonly Source[] | undefined
  /** Undefined: everything. */
  readonly targets: readonly Target[] | undefined
}

const sections = ['from', 'to'] as const
const NAMESPACE = 'namespace:'
/** RFC 1123 §2.1, as Kubernetes names namespaces. */
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** Reads `allow from shop stock to own external`. */
export const readRule = (reader: DirectiveReader, { name, arguments: words }: Property): Rule => {
  const named: Record<(typeof sections)[number], Word[]> = { from: [], to: [] }
  let section: (typeof sections)[number] | undefined
  for (const word of words) {
    const keyword = sections.find(text => text === word.text)
    if (keyword) section = keyword
    else if (section) named[section].push(word)
    else reader.refuse(word, `"${word.text}" is neither "from" nor "to"${suggestion(word.text, sections)}`)
  }
  for (const keyword of sections) {
    const word = words.find(({ text }) => text === keyword)
    if (word && named[keyword].length === 0) reader.refuse(word, `"${keyword}" needs a value`)
  }
  return {
    action: name.text as Action,
    sources: isEverything(named.from) ? undefined : named.from.map(word => readSource(reader, word)),
    targets: isEverything(named.to) ? undefined : named.to.flatMap(word => readTarget(reader, word)),
  }
}

const isEverything = (words: readonly Word[]): boolean => words.length === 0 || words.some(({ text }) => text === '*')

const readSource = (reader: DirectiveReader, word: Word): Source =>
  word.text === 'unknown' ? { kind: 'unknown' } : { kind: 'namespace', name: readNamespace(reader, word, word.text) }

const readNamespace = (reader: DirectiveReader, word: Word, text: string): string => {
  if (!LABEL.test(text)) reader.refuse(word, `"${text}" is not the name of a namespace`)
  return text
}

const readTarget = (reader: DirectiveReader, word: Word): readonly Target[] => {
  const { text } = word
  if (text === 'own' || text === 'cluster' || text === 'external') return [{ kind: text }]
  if (text.startsWith(NAMESPACE))
    return [{ kind: 'namespace', name: readNamespace(reader, word, text.slice(NAMESPACE.length)) }]
  return reader.zones([word], []).map(zone => ({ kind: 'suffix', zone }))
}

/** `client`: its namespace; undefined: it is not known. */
export const fitOf = ({ sources, targets }: Rule, client: string | undefined, asked: Asked): Fit => {
  const source = best(sources?.map(source => sourceFit(source, client)))
  const target = best(targets?.map(target => targetFit(target, client, asked)))
  if (source === 'no' || target === 'no') return 'no'
  return source === 'yes' && target === 'yes' ? 'yes' : 'perhaps'
}

const best = (fits: readonly Fit[] | undefined): Fit => {
  if (!fits || fits.includes('yes')) return 'yes'
  return fits.includes('perhaps') ? 'perhaps' : 'no'
}

const sourceFit = (source: Source, client: string | undefined): Fit => {
  if (source.kind === 'unknown') return client === undefined ? 'yes' : 'no'
  if (client === undefined) return 'perhaps'
  return source.name === client ? 'yes' : 'no'
}

const targetFit = (target: Target, client: string | undefined, { name, inCluster, namespace }: Asked): Fit => {
  switch (target.kind) {
    case 'own':
      if (namespace === undefined) return 'no'
      if (client === undefined) return 'perhaps'
      return namespace === client ? 'yes' : 'no'
    case 'cluster':
      return namespace === undefined ? 'no' : 'yes'
    case 'external':
      return inCluster ? 'no' : 'yes'
    case 'namespace':
      return namespace === target.name ? 'yes' : 'no'
    case 'suffix':
      return isSubdomain(name, target.zone) ? 'yes' : 'no'
  }
}

/**
 * What the first rule that fits says; none: `allow`. `unclear`: a rule that may fit, were the client known, says otherwise.
 */
export const decide = (rules: readonly Rule[], client: string | undefined, asked: Asked): Action | 'unclear' => {
  const possible = new Set<Action>()
  for (const rule of rules) {
    const fit = fitOf(rule, client, asked)
    if (fit === 'no') continue
    possible.add(rule.action)
    if (fit === 'yes') return possible.size === 1 ? rule.action : 'unclear'
  }
  possible.add('allow')
  return possible.size === 1 ? 'allow' : 'unclear'
}
