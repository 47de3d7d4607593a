/**
 * The cluster's directory, as every command that acts on the cluster knows it:
 *
 *     cluster.json      that it is Seamark's, and where its parts were last bound
 *     store/            the database
 *     pki/              the CA and the certificates
 *     admin.kubeconfig  for people; kubeconfigs/NAME.kubeconfig for programs
 *     logs/             one file a part
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { SeamarkError } from '#lib/errors.ts'

const MARKER = 'cluster.json'
/** Grows when the layout changes in a way that an older Seamark must not touch. */
const LAYOUT_VERSION = 1

export interface ClusterFile {
  readonly layoutVersion: number
  /** Part → `HOST:PORT`: apiserver, dns, metrics, health, ready. Empty until the cluster ran once. */
  readonly addresses: Readonly<Record<string, string>>
}

export interface DataDir {
  readonly folder: string
  readonly store: string
  readonly adminKubeconfig: string
  readonly kubeconfig: (program: string) => string
  readonly log: (part: string) => string
}

const layoutOf = (folder: string): DataDir => ({
  folder,
  store: join(folder, 'store'),
  adminKubeconfig: join(folder, 'admin.kubeconfig'),
  kubeconfig: program => join(folder, 'kubeconfigs', `${program}.kubeconfig`),
  log: part => join(folder, 'logs', `${part}.log`),
})

const unusable = (folder: string, cause: unknown): SeamarkError =>
  new SeamarkError('DATA_DIR_UNUSABLE', `${folder}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })

/** Reads the marker. Undefined when the directory does not exist, is empty, or has none. */
const readMarker = (folder: string): ClusterFile | undefined => {
  const file = join(folder, MARKER)
  if (!existsSync(file)) return undefined
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Partial<ClusterFile>
    if (typeof content.layoutVersion === 'number') {
      return { layoutVersion: content.layoutVersion, addresses: content.addresses ?? {} }
    }
  } catch {}
  throw new SeamarkError('DATA_DIR_FOREIGN', `${file} is not a file of Seamark's`)
}

/** Written beside and renamed over, so that kill -9 leaves the old one or the new one. */
export const writeClusterFile = (folder: string, addresses: ClusterFile['addresses']): void => {
  const file = join(folder, MARKER)
  const descriptor = openSync(`${file}.new`, 'w', 0o600)
  try {
    writeFileSync(descriptor, `${JSON.stringify({ layoutVersion: LAYOUT_VERSION, addresses }, null, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${file}.new`, file)
}

/** Makes the directory ready for use, or says why it cannot be. Never touches a directory that is not Seamark's. */
export const ensureDataDir = (path: string): DataDir => {
  const folder = resolve(path)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable(folder, cause)
  }
  const marker = readMarker(folder)
  if (marker && marker.layoutVersion > LAYOUT_VERSION) {
    throw new SeamarkError(
      'DATA_DIR_FOREIGN',
      `${folder} was made by a newer Seamark (layout ${marker.layoutVersion}, this one knows ${LAYOUT_VERSION})`,
    )
  }
  if (!marker) {
    const strangers = readdirSync(folder).filter(name => name !== `${MARKER}.new`)
    if (strangers.length > 0) {
      throw new SeamarkError('DATA_DIR_FOREIGN', `${folder} holds other files (${strangers.slice(0, 3).join(', ')} …)`)
    }
  }
  try {
    if (!marker) writeClusterFile(folder, {})
    mkdirSync(join(folder, 'logs'), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable(folder, cause)
  }
  return layoutOf(folder)
}

/** The directory of a cluster that ran, with its parts' addresses: for commands that join a running cluster. */
export const openDataDir = (path: string): DataDir & Pick<ClusterFile, 'addresses'> => {
  const folder = resolve(path)
  const marker = readMarker(folder)
  if (!marker) throw new SeamarkError('DATA_DIR_UNUSABLE', `${folder} holds no cluster: start one with 'seamark up'`)
  return { ...layoutOf(folder), addresses: marker.addresses }
}
