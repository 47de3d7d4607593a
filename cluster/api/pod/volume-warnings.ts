/** What of a Pod's volumes is allowed but hardly meant: plugins that are gone, files that lie on each other. */
import { fractionalBytes } from './fractional-bytes.ts'
import type { PodSpec, Volume, VolumeItem, VolumeProjection } from './pod.ts'

/** Plugin → field as Kubernetes names it, and since when. */
const OLD_PLUGINS: Readonly<Record<string, readonly [field: string, since: string]>> = {
  photonPersistentDisk: ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  gitRepo: ['gitRepo', 'deprecated in v1.11'],
  scaleIO: ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  flocker: ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  storageos: ['storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  quobyte: ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  glusterfs: ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  cephfs: ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  rbd: ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
}

interface Template {
  readonly volumeClaimTemplate?: { readonly spec?: { readonly resources?: Record<string, Record<string, string>> } }
}

const claimWarnings = ({ ephemeral }: Volume, at: string): string[] => {
  const { resources = {} } = (ephemeral as Template | undefined)?.volumeClaimTemplate?.spec ?? {}
  const field = `${at}.ephemeral.volumeClaimTemplate.spec.resources`
  return ['requests', 'limits'].flatMap(name => fractionalBytes(resources[name], `${field}.${name}`, ['storage']))
}

/** A file that a volume has, and what it is of. */
interface File {
  readonly path: string
  /** '': the volume has one source. */
  readonly source: string
}

/** Without the slashes at its end. (A pattern for them would look at each slash of the rest again and again.) */
const trimmed = (path: string): string => {
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}

const shown = ({ path, source }: File): string => JSON.stringify(path) + (source === '' ? '' : ` (${source})`)

/** Each pair that cannot both be there. */
function* overlaps(files: readonly File[]): Generator<string, undefined> {
  const known: { readonly file: File; readonly folder: string }[] = []
  for (const { path, source } of files) {
    const file = { path: trimmed(path), source }
    if (file.path === '') continue
    const folder = `${file.path}/`
    for (const other of known)
      if (folder.startsWith(other.folder) || other.folder.startsWith(folder))
        yield `${shown(file)} with ${shown(other.file)}`
    known.push({ file, folder })
  }
}

const filesOf = (items: readonly VolumeItem[] | undefined, source = ''): File[] =>
  (items ?? []).map(({ path = '' }) => ({ path, source }))

const quote = JSON.stringify

const projectedFiles = (source: VolumeProjection): File[] => {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${quote(configMap.name ?? '')}`)
  if (secret?.items) return filesOf(secret.items, `Secret ${quote(secret.name ?? '')}`)
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI')
  if (serviceAccountToken) return filesOf([serviceAccountToken], 'ServiceAccountToken')
  if (clusterTrustBundle) {
    const { name, signerName = '', path } = clusterTrustBundle
    return filesOf([path === undefined ? {} : { path }], `ClusterTrustBundle ${quote(name ?? signerName)}`)
  }
  const { certificateChainPath = '', keyPath = '', credentialBundlePath = '' } = podCertificate ?? {}
  return [
    { path: certificateChainPath, source: 'PodCertificate chain' },
    { path: keyPath, source: 'PodCertificate key' },
    { path: credentialBundlePath, source: 'PodCertificate credential bundle' },
  ].filter(({ path }) => path !== '')
}

/** What is said of the files that lie in one place. */
interface Group {
  readonly title: string
  readonly files: readonly File[]
}

const groupsOf = ({ name = '', configMap, secret, downwardAPI, projected }: Volume): readonly Group[] => {
  const group = (what: string, files: readonly File[]) => ({ title: `volume ${quote(name)} (${what})`, files })
  return [
    group(`ConfigMap ${quote(configMap?.name ?? '')}`, filesOf(configMap?.items)),
    group(`Secret ${quote(secret?.secretName ?? '')}`, filesOf(secret?.items)),
    group('DownwardAPI', filesOf(downwardAPI?.items)),
    group('Projected', (projected?.sources ?? []).flatMap(projectedFiles)),
  ]
}

/** Files of a Pod that are looked at, each with all before it; no Pod has as many by intent. */
const MAX_FILES = 256

function* pathWarnings(volumes: readonly Volume[]): Generator<string, undefined> {
  let left = MAX_FILES
  for (const volume of volumes) {
    for (const source of volume.projected?.sources ?? [])
      if (Object.keys(source).length === 0)
        yield `volume ${quote(volume.name ?? '')} (Projected) has no sources provided`
    for (const { title, files } of groupsOf(volume)) {
      const seen = files.slice(0, left)
      left -= seen.length
      for (const overlap of overlaps(seen)) yield `${title}: overlapping paths: ${overlap}`
    }
  }
}

/** `at`: the spec's field. */
export function* volumeWarnings({ volumes = [] }: PodSpec, at: string): Generator<string, undefined> {
  for (const [index, volume] of volumes.entries()) {
    const field = `${at}.volumes[${index}]`
    for (const [plugin, [name, since]] of Object.entries(OLD_PLUGINS))
      if (volume[plugin] !== undefined) yield `${field}.${name}: ${since}`
    yield* claimWarnings(volume, field)
  }
  yield* pathWarnings(volumes)
}
