/** A PersistentVolume as TypeScript sees it, and how old and new objects name its class. */
import type { ApiObject } from '../object.ts'
import { typeSchema } from '../schema.ts'

type Quantities = Record<string, string>

interface NodeSelectorRequirement {
  key?: string
  operator?: string
  values?: string[]
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[]
  matchFields?: NodeSelectorRequirement[]
}

export interface VolumeSpec {
  capacity?: Quantities
  accessModes?: string[]
  claimRef?: { namespace?: string; name?: string }
  persistentVolumeReclaimPolicy?: string
  storageClassName?: string
  volumeMode?: string
  volumeAttributesClassName?: string
  nodeAffinity?: { required?: { nodeSelectorTerms?: NodeSelectorTerm[] } }
  hostPath?: { path?: string; type?: string }
  local?: { path?: string }
  nfs?: { path?: string }
  csi?: { driver?: string; volumeHandle?: string }
  [source: string]: unknown
}

export interface ClaimSpec {
  accessModes?: string[]
  selector?: object
  resources?: { requests?: Quantities; limits?: Quantities }
  volumeName?: string
  storageClassName?: string
  volumeMode?: string
  volumeAttributesClassName?: string
  dataSource?: DataSource
  dataSourceRef?: DataSource & { namespace?: string }
}

export interface DataSource {
  apiGroup?: string
  kind?: string
  name?: string
}

export interface ClaimStatus {
  phase?: string
  accessModes?: string[]
  capacity?: Quantities
}

/** The fields that say where a volume is; one of them is there. */
export const VOLUME_SOURCES: readonly string[] = typeSchema('core/v1.PersistentVolumeSource').fields.map(
  ({ name }) => name,
)

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** The annotation is older than the field, and wins. */
export const storageClassOf = ({ metadata, spec }: ApiObject): string =>
  metadata.annotations?.[CLASS_ANNOTATION] ??
  (spec as { storageClassName?: string } | undefined)?.storageClassName ??
  ''

/** What kubectl shows where nobody has said. */
export const orUnset = (text: string | undefined): string => text ?? '<unset>'

/** An object that goes is called so, whatever its status says. */
export const phaseText = ({ metadata, status }: ApiObject): string =>
  metadata.deletionTimestamp === undefined ? ((status as { phase?: string } | undefined)?.phase ?? '') : 'Terminating'
