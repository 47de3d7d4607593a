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

/** What a kubeconfig lists, each by its name. */
export interface KubeconfigEntries {
  readonly clusters: ReadonlyMap<string, NamedEntry>
  readonly users: ReadonlyMap<string, NamedEntry>
  readonly contexts: ReadonlyMap<string, NamedEntry>
  readonly currentContext: Field
}

export interface KubeconfigText {
  /** Absolute. */
  readonly file: string
  readonly text: string
}

export const readKubeconfigText = async (path: string): Promise<KubeconfigText> => {
  const file = resolve(path)
  try {
    return { file, text: await readFile(file, 'utf8') }
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'the file does not exist' : 'the file cannot be read'
    throw new SeamarkError('BAD_KUBECONFIG', `${file}: ${why}`, { cause })
  }
}

export const parseKubeconfig = async ({ file, text }: KubeconfigText): Promise<KubeconfigEntries> => {
  // A server in a pod has no such file, and need not wait for seventy modules.
  const { parseDocument } = await import('yaml')
  // Without warnings: they quote what may be secret, and what is wrong is told by field.
  const document = reading(file, () => parseDocument(text, { logLevel: 'error' }))
  const root = rootOf(file, document)
  return {
    clusters: entriesOf(root, 'clusters', 'cluster'),
    users: entriesOf(root, 'users', 'user'),
    contexts: entriesOf(root, 'contexts', 'context'),
    currentContext: root.child('current-context'),
  }
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

const entriesOf = (root: Field, list: string, key: string): ReadonlyMap<string, NamedEntry> => {
  const entries = new Map<string, NamedEntry>()
  for (const item of root.child(list).list()) {
    const name = item.child('name').text()
    if (name === '') throw item.child('name').problem('is missing')
    if (entries.has(name)) throw item.child('name').problem(`"${name}" stands twice in this list`)
    entries.set(name, { name, field: item.child(key) })
  }
  return entries
}
