/** The rules for a pod's volumes. */
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { checkDnsLabel } from '../name.ts'
import type { Volume, VolumeItem } from './pod.ts'

const MAX_MODE = 0o777
const MODE_DETAIL = 'must be a number between 0 and 0777 (octal), both inclusive'

const validateMode = (mode: number | undefined, field: string): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > MAX_MODE) ? [fieldInvalid(field, mode, MODE_DETAIL)] : []

/** A path below the volume. */
const validatePath = (path: string, field: string): FieldError[] => {
  if (path === '') return [fieldRequired(field)]
  const errors: FieldError[] = []
  if (path.startsWith('/')) errors.push(fieldInvalid(field, path, 'must be a relative path'))
  if (path.split('/').includes('..')) errors.push(fieldInvalid(field, path, "must not contain '..'"))
  if (path.startsWith('..') && !path.startsWith('../'))
    errors.push(fieldInvalid(field, path, "must not start with '..'"))
  return errors
}

const validateItems = (items: readonly VolumeItem[] = [], field: string): FieldError[] =>
  items.flatMap(({ path = '', mode }, index) => [
    ...validatePath(path, `${field}.items[${index}].path`),
    ...validateMode(mode, `${field}.items[${index}].mode`),
  ])

const validateSource = (volume: Volume, field: string): FieldError[] => {
  const errors: FieldError[] = []
  for (const name of ['secret', 'configMap', 'downwardAPI'] as const) {
    const source = volume[name]
    if (!source) continue
    errors.push(...validateMode(source.defaultMode, `${field}.${name}.defaultMode`))
    errors.push(...validateItems(source.items, `${field}.${name}`))
  }
  if (volume.secret && !volume.secret.secretName) errors.push(fieldRequired(`${field}.secret.secretName`))
  if (volume.configMap && !volume.configMap.name) errors.push(fieldRequired(`${field}.configMap.name`))
  if (volume.projected) errors.push(...validateMode(volume.projected.defaultMode, `${field}.projected.defaultMode`))
  if (volume.hostPath?.path?.split('/').includes('..')) {
    errors.push(fieldInvalid(`${field}.hostPath.path`, volume.hostPath.path, "must not contain '..'"))
  }
  return errors
}

export const validateVolumes = (volumes: readonly Volume[]): FieldError[] => {
  const names = new Set<string>()
  return volumes.flatMap((volume, index) => {
    const field = `spec.volumes[${index}]`
    const { name = '', ...sources } = volume
    const errors =
      name === ''
        ? [fieldRequired(`${field}.name`)]
        : checkDnsLabel(name).map(complaint => fieldInvalid(`${field}.name`, name, complaint))
    if (name !== '' && names.has(name)) errors.push(fieldDuplicate(`${field}.name`, name))
    names.add(name)
    // Kubernetes looks for an emptyDir before anything else, so that it is the other one which is too many.
    const [first, ...others] = Object.keys(sources).sort((a, b) => Number(b === 'emptyDir') - Number(a === 'emptyDir'))
    if (first === undefined) errors.push(fieldRequired(field, 'must specify a volume type'))
    for (const other of others)
      errors.push(fieldForbidden(`${field}.${other}`, 'may not specify more than 1 volume type'))
    return [...errors, ...validateSource(volume, field)]
  })
}
