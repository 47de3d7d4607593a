/**
 * YAML bodies as Kubernetes reads them: YAML 1.1 (`yes` is true, `0644` is octal) without dates, sexagesimals and
 * binary, turned into the value that JSON would have given. Repeated keys are told, not refused.
 */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type YAMLMap } from 'yaml'
import { accepted, type Result, refused } from '#lib/result.ts'

interface ParsedYaml {
  readonly value: unknown
  readonly duplicates: readonly string[]
}

/** Tags of YAML 1.1 that Kubernetes's reader does not know. */
const FOREIGN_TAGS = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
])

interface Walk {
  readonly duplicates: Set<string>
  readonly maxDepth: number
}

const joined = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** False when the node is nested deeper than allowed. */
const walk = (node: unknown, path: string, depth: number, state: Walk): boolean => {
  if (depth > state.maxDepth) return false
  if (isSeq(node)) return node.items.every((item, index) => walk(item, `${path}[${index}]`, depth + 1, state))
  return isMap(node) ? walkMap(node, path, depth, state) : true
}

const walkMap = (node: YAMLMap, path: string, depth: number, state: Walk): boolean => {
  const keys = new Set<string>()
  return node.items.every(pair => {
    const key = isScalar(pair.key) ? String(pair.key.value) : ''
    const inner = joined(path, key)
    if (keys.has(key) && !isAlias(pair.key)) state.duplicates.add(inner)
    keys.add(key)
    return walk(pair.value, inner, depth + 1, state)
  })
}

const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length

export const parseYaml = (text: string, maxDepth: number): Result<ParsedYaml, string> => {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      uniqueKeys: false,
      // It would look for the place of each of many errors from the start of the text.
      prettyErrors: false,
      customTags: tags =>
        tags.filter(tag => typeof tag === 'string' || !(FOREIGN_TAGS.has(tag.tag) || tag.format === 'TIME')),
    })
    const document = 'empty' in documents ? undefined : documents[0]
    if (!document) return accepted({ value: null, duplicates: [] })
    const [error] = document.errors
    if (error) return refused(`error converting YAML to JSON: ${error.message} at line ${lineOf(text, error.pos[0])}`)
    const state = { duplicates: new Set<string>(), maxDepth }
    if (!walk(document.contents, '', 1, state)) return refused('exceeded max depth')
    // Through JSON, so that what JSON cannot say (NaN, dates, keys that are no strings) is as Kubernetes makes it.
    const value: unknown = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null')
    return accepted({ value, duplicates: [...state.duplicates] })
  } catch (error) {
    return refused(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
