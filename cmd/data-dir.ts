/**
 * The cluster's directory, as every command that acts on the cluster knows it:
 *
 *     cluster.json      that it is Seamark's, and where its parts were last bound
 *     store/            the database
 *     pki/              the CA and the certificates
 *     admin.kubeconfig  for people; kubeconfigs/NAME.kubeconfig for programs
 *     state/            what parts keep to start quicker; may be deleted
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
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SeamarkError, systemCode } from '#lib/errors.ts'

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
  readonly state: (part: string) => string
  readonly log: (part: string) => string
}

const layoutOf = (folder: string): DataDir => ({
  folder,
  store: join(folder, 'store'),
  adminKubeconfig: join(folder, 'admin.kubeconfig'),
  kubeconfig: program => join(folder, 'kubeconfigs', `${program}.kubeconfig`),
  state: part => join(folder, 'state', part),
  log: part => join(folder, 'logs', `${part}.log`),
})

const unusable = (folder: string, cause: unknown): SeamarkError =>
  new SeamarkError('DATA_DIR_UNUSABLE', `${folder}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })

/** Runs `work` on the directory; whatever the system says against it becomes the error that says what to do. */
const using = <Value>(folder: string, work: () => Value): Value => {
  try {
    return work()
  } catch (cause) {
    throw unusable(folder, cause)
  }
}

const parseMarker = (text: string): ClusterFile | undefined => {
  try {
    const { layoutVersion, addresses = {} } = JSON.parse(text) as Partial<ClusterFile>
    return typeof layoutVersion === 'number' ? { layoutVersion, addresses } : undefined
  } catch {
    return undefined
  }
}

/** Reads the marker. Undefined when the directory does not exist, is empty, or has none. */
const readMarker = (folder: string): ClusterFile | undefined => {
  const file = join(folder, MARKER)
  if (!existsSync(file)) return undefined
  const marker = parseMarker(using(folder, () => readFileSync(file, 'utf8')))
  if (!marker) throw new SeamarkError('DATA_DIR_FOREIGN', `${file} is not a file of Seamark's`)
  return marker
}

/**
 * Makes the folder and those above it that are missing. Node's own recursive form says ENOENT of a read-only file
 * system, and never returns where nothing can be made in a folder that exists (/proc).
 */
const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && statSync(folder).isDirectory()) return
    if (systemCode(error) !== 'ENOENT' || existsSync(dirname(folder))) throw error
    makeFolder(dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
  }
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
  using(folder, () => makeFolder(folder))
  const marker = readMarker(folder)
  if (marker && marker.layoutVersion > LAYOUT_VERSION) {
    throw new SeamarkError(
      'STORE_NEWER',
      `${folder} was made by a newer Seamark (layout ${marker.layoutVersion}, this one knows ${LAYOUT_VERSION})`,
    )
  }
  if (!marker) {
    const strangers = using(folder, () => readdirSync(folder)).filter(name => name !== `${MARKER}.new`)
    if (strangers.length > 0) {
      throw new SeamarkError('DATA_DIR_FOREIGN', `${folder} holds other files (${strangers.slice(0, 3).join(', ')} …)`)
    }
  }
  using(folder, () => {
    if (!marker) writeClusterFile(folder, {})
    makeFolder(join(folder, 'logs'))
  })
  return layoutOf(folder)
}

/** The directory of a cluster that ran, with its parts' addresses: for commands that join a running cluster. */
export const openDataDir = (path: string): DataDir & Pick<ClusterFile, 'addresses'> => {
  const folder = resolve(path)
  const marker = readMarker(folder)
  if (!marker) throw new SeamarkError('CLUSTER_ABSENT', `${folder} holds no cluster`)
  return { ...layoutOf(folder), addresses: marker.addresses }
}
