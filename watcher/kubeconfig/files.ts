import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Document } from 'yaml'
import { SeamarkError, systemCode } from '#lib/errors.ts'
import { Field } from './field.ts'

export interface NamedEntry {
  readonly name: string
  /** What stands beside the name: the `cluster`, `user` or `context`. */
  readonly field: Field
}

export interface MergedKubeconfig {
  readonly clusters: ReadonlyMap<string, NamedEntry>
  readonly users: ReadonlyMap<string, NamedEntry>
  readonly contexts: ReadonlyMap<string, NamedEntry>
  readonly currentContext: Field | undefined
}

export interface KubeconfigText {
  /** Absolute. */
  readonly file: string
  readonly text: string
}

/** Of the files that are there. */
export const readKubeconfigTexts = async (
  files: readonly string[],
  missingAllowed = false,
): Promise<readonly KubeconfigText[]> => {
  const texts = []
  for (const file of files.map(path => resolve(path))) {
    try {
      texts.push({ file, text: await readFile(file, 'utf8') })
    } catch (cause) {
      if (missingAllowed && systemCode(cause) === 'ENOENT') continue
      const why = systemCode(cause) === 'ENOENT' ? 'the file does not exist' : 'the file cannot be read'
      throw new SeamarkError('BAD_KUBECONFIG', `${file}: ${why}`, { cause })
    }
  }
  if (texts.length === 0) throw new SeamarkError('BAD_KUBECONFIG', `none of these files exists: ${files.join(', ')}`)
  return texts
}

/** The root of each. */
export const parseKubeconfigs = async (texts: readonly KubeconfigText[]): Promise<readonly Field[]> => {
  // A server in a pod has no such file, and need not wait for seventy modules.
  const { parseDocument } = await import('yaml')
  return texts.map(({ file, text }) => {
    // Without warnings: they quote what may be secret, and what is wrong is told by field.
    const document = reading(file, () => parseDocument(text, { logLevel: 'error' }))
    return rootOf(file, document)
  })
}

/** What the parser throws, beside the errors that it tells: nesting without end, aliases of nothing or of too much. */
const reading = <Value>(file: string, read: () => Value): Value => {
  try {
    return read()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SeamarkError('BAD_KUBECONFIG', `${file}: ${why}`, { cause })
  }
}

const rootOf = (file: string, document: Document): Field => {
  const [error] = document.errors
  if (error) {
    const line = error.linePos?.[0].line
    const where = line === undefined ? file : `${file}:${line}`
    throw new SeamarkError('BAD_KUBECONFIG', `${where}: ${error.message.split('\n')[0]}`, { cause: error })
  }
  const root = new Field(file, '', reading(file, () => document.toJS()) ?? {})
  const kind = root.child('kind').text()
  if (kind !== '' && kind !== 'Config') throw root.child('kind').problem(`is ${kind}, not Config`)
  return root
}

/** "The first file to set a particular value or map key wins": whole entries, never mixed from two files. */
export const mergeKubeconfigs = (roots: readonly Field[]): MergedKubeconfig => ({
  clusters: merge(roots, 'clusters', 'cluster'),
  users: merge(roots, 'users', 'user'),
  contexts: merge(roots, 'contexts', 'context'),
  currentContext: roots.map(root => root.child('current-context')).find(field => field.text() !== ''),
})

const merge = (roots: readonly Field[], list: string, key: string): Map<string, NamedEntry> => {
  const merged = new Map<string, NamedEntry>()
  for (const root of roots) {
    const here = new Set<string>()
    for (const item of root.child(list).list()) {
      const name = item.child('name').text()
      if (name === '') throw item.child('name').problem('is missing')
      if (here.has(name)) throw item.child('name').problem(`"${name}" stands twice in this list`)
      here.add(name)
      if (!merged.has(name)) merged.set(name, { name, field: item.child(key) })
    }
  }
  return merged
}
