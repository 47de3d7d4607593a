/** VolumeAttachment: the wish that a volume is on a node, and whether it is. */
import { ageColumn, booleanColumn, column } from '../column.ts'
import { complain, type FieldError, fieldForbidden, fieldRequired, fieldTooLong } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'
import type { VolumeSpec } from '../volume/volume.ts'
import { validateDriverName, validateVolumeSpec } from '../volume/volume-validation.ts'

interface AttachmentSpec {
  attacher?: string
  nodeName?: string
  source?: { persistentVolumeName?: string; inlineVolumeSpec?: VolumeSpec }
}

interface AttachmentStatus {
  attached?: boolean
  attachError?: { message?: string }
  detachError?: { message?: string }
}

const MAX_MESSAGE = 1024

const specOf = ({ spec }: ApiObject): AttachmentSpec => (spec ?? {}) as AttachmentSpec
const statusOf = ({ status }: ApiObject): AttachmentStatus => (status ?? {}) as AttachmentStatus

const validateSource = ({ source = {} }: AttachmentSpec): FieldError[] => {
  const { persistentVolumeName: volume, inlineVolumeSpec: inline } = source
  const field = 'spec.source'
  if (inline && volume !== undefined)
    return [fieldForbidden(field, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')]
  if (inline) return validateVolumeSpec(inline, `${field}.inlineVolumeSpec`, { inline: true })
  if (volume === undefined)
    return [fieldRequired(field, 'must specify one of inlineVolumeSpec and persistentVolumeName')]
  const at = `${field}.persistentVolumeName`
  return volume === ''
    ? [fieldRequired(at, 'must specify non empty persistentVolumeName')]
    : complain(at, volume, checkDnsSubdomain(volume))
}

const validate = (object: ApiObject): FieldError[] => {
  const { attacher = '', nodeName = '' } = specOf(object)
  return [
    ...(attacher === '' ? [] : validateDriverName(attacher, 'spec.attacher')),
    ...validateSource(specOf(object)),
    ...(nodeName === '' ? [] : complain('spec.nodeName', nodeName, checkDnsSubdomain(nodeName))),
  ]
}

const validateStatusUpdate = (object: ApiObject): FieldError[] =>
  (['attachError', 'detachError'] as const).flatMap(name =>
    Buffer.byteLength(statusOf(object)[name]?.message ?? '') > MAX_MESSAGE
      ? [fieldTooLong(`status.${name}.message`, MAX_MESSAGE)]
      : [],
  )

export const volumeAttachmentKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  singular: 'volumeattachment',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'storage.k8s.io/v1.VolumeAttachment',
  hasStatus: true,
  statusResets: ['metadata'],
  countsGenerations: false,
  deleteReturnsObject: true,
  prepareForCreate(object) {
    object.status = { attached: false }
  },
  validate,
  validateUpdate: (next, current) => validateImmutable('spec', next.spec, current.spec),
  validateStatusUpdate,
  columns: [
    { ...column('Attacher', 'The driver that attaches it.', object => specOf(object).attacher ?? ''), format: 'name' },
    column('PV', 'The volume.', object => specOf(object).source?.persistentVolumeName ?? ''),
    column('Node', 'Where it shall be.', object => specOf(object).nodeName ?? ''),
    booleanColumn('Attached', 'Whether it is there.', object => statusOf(object).attached ?? false),
    ageColumn,
  ],
}
