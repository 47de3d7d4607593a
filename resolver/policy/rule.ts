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

/** A client, as far as rules care. */
export interface Asker {
  /** Of its pod; undefined: it is not known. */
  readonly namespace: string | undefined
  /** What the labels of a namespace are. */
  readonly labelsOf: (namespace: string) => Readonly<Record<string, string>>
}

/** `perhaps`: it depends on the client's namespace, which is not known. */
type Fit = 'yes' | 'no' | 'perhaps'

/** Namespaces with a label. */
interface Labelled {
  readonly kind: 'label'
  readonly key: string
  readonly value: string
}

type Source = { readonly kind: 'namespace'; readonly name: string } | Labelled | { readonly kind: 'unknown' }

type Target =
  /** Of the client's own namespace. */
  | { readonly kind: 'own' }
  /** Of some namespace. */
  | { readonly kind: 'cluster' }
  /** Outside of the cluster's zones. */
  | { readonly kind: 'external' }
  | { readonly kind: 'namespace'; readonly name: string }
  | Labelled
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
const LABEL_PREFIX = 'label:'
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

const readSource = (reader: DirectiveReader, word: Word): Source => {
  if (word.text === 'unknown') return { kind: 'unknown' }
  return readLabelled(reader, word) ?? { kind: 'namespace', name: readNamespace(reader, word, word.text) }
}

/** Undefined: the word is of another form. */
const readLabelled = (reader: DirectiveReader, word: Word): Labelled | undefined => {
  if (!word.text.startsWith(LABEL_PREFIX)) return undefined
  const [, key, value] = /^([^=]+)=([^=]*)$/.exec(word.text.slice(LABEL_PREFIX.length)) ?? []
  if (key === undefined) reader.refuse(word, `"${word.text}" is not a label (like label:team=shop)`)
  return { kind: 'label', key: key ?? '', value: value ?? '' }
}

const readNamespace = (reader: DirectiveReader, word: Word, text: string): string => {
  if (!LABEL.test(text)) reader.refuse(word, `"${text}" is not the name of a namespace`)
  return text
}

const readTarget = (reader: DirectiveReader, word: Word): readonly Target[] => {
  const { text } = word
  if (text === 'own' || text === 'cluster' || text === 'external') return [{ kind: text }]
  if (text.startsWith(NAMESPACE))
    return [{ kind: 'namespace', name: readNamespace(reader, word, text.slice(NAMESPACE.length)) }]
  const labelled = readLabelled(reader, word)
  if (labelled) return [labelled]
  return reader.zones([word], []).map(zone => ({ kind: 'suffix', zone }))
}

const fitOf = ({ sources, targets }: Rule, asker: Asker, asked: Asked): Fit => {
  const source = best(sources?.map(source => sourceFit(source, asker)))
  const target = best(targets?.map(target => targetFit(target, asker, asked)))
  if (source === 'no' || target === 'no') return 'no'
  return source === 'yes' && target === 'yes' ? 'yes' : 'perhaps'
}

const best = (fits: readonly Fit[] | undefined): Fit => {
  if (!fits || fits.includes('yes')) return 'yes'
  return fits.includes('perhaps') ? 'perhaps' : 'no'
}

const fitIf = (condition: boolean): Fit => (condition ? 'yes' : 'no')

const sourceFit = (source: Source, { namespace, labelsOf }: Asker): Fit => {
  if (source.kind === 'unknown') return fitIf(namespace === undefined)
  if (namespace === undefined) return 'perhaps'
  return fitIf(source.kind === 'label' ? hasLabel(labelsOf(namespace), source) : source.name === namespace)
}

const hasLabel = (labels: Readonly<Record<string, string>>, { key, value }: Labelled): boolean =>
  Object.hasOwn(labels, key) && labels[key] === value

const targetFit = (target: Target, asker: Asker, { name, inCluster, namespace }: Asked): Fit => {
  switch (target.kind) {
    case 'own':
      if (namespace !== undefined && asker.namespace === undefined) return 'perhaps'
      return fitIf(namespace !== undefined && namespace === asker.namespace)
    case 'cluster':
      return fitIf(namespace !== undefined)
    case 'external':
      return fitIf(!inCluster)
    case 'namespace':
      return fitIf(namespace === target.name)
    case 'label':
      return fitIf(namespace !== undefined && hasLabel(asker.labelsOf(namespace), target))
    case 'suffix':
      return fitIf(isSubdomain(name, target.zone))
  }
}

/**
 * What the first rule that fits says; none: `allow`. `unclear`: a rule that may fit, were the client known, says otherwise.
 */
export const decide = (rules: readonly Rule[], asker: Asker, asked: Asked): Action | 'unclear' => {
  const possible = new Set<Action>()
  for (const rule of rules) {
    const fit = fitOf(rule, asker, asked)
    if (fit === 'no') continue
    possible.add(rule.action)
    if (fit === 'yes') return possible.size === 1 ? rule.action : 'unclear'
  }
  possible.add('allow')
  return possible.size === 1 ? 'allow' : 'unclear'
}
