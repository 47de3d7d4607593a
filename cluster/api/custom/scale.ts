/** `/scale` of a custom resource: how many, by the paths that its definition names. */
import { type FieldError, fieldInvalid } from '../field-error.ts'
import type { ScalePart } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { isObject, setOwn } from '../own-property.ts'
import type { ScalePaths } from './definition.ts'

const MAX_REPLICAS = 2 ** 31 - 1

const steps = (path: string): readonly string[] => path.replace(/^\./, '').split('.')

const read = (object: ApiObject, path: string): unknown =>
  steps(path).reduce<unknown>(
    (value, step) => (isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined),
    object,
  )

const count = (object: ApiObject, path: string): number => {
  const value = read(object, path)
  return typeof value === 'number' ? value : 0
}

const write = (object: ApiObject, path: string, replicas: number): void => {
  const [last = '', ...parents] = steps(path).toReversed()
  let place: Record<string, unknown> = object
  for (const step of parents.toReversed()) {
    if (!isObject(place[step])) setOwn(place, step, {})
    place = place[step] as Record<string, unknown>
  }
  setOwn(place, last, replicas)
}

export const scaleOf = ({
  specReplicasPath = '',
  statusReplicasPath = '',
  labelSelectorPath = '',
}: ScalePaths): ScalePart => ({
  wanted: object => count(object, specReplicasPath),
  observed: object => count(object, statusReplicasPath),
  selector: object => {
    const selector = labelSelectorPath === '' ? '' : read(object, labelSelectorPath)
    return typeof selector === 'string' ? selector : ''
  },
  want: (object, replicas) => write(object, specReplicasPath, replicas),
})

/** As Go prints it. */
const goText = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  return `map[${Object.keys(value)
    .sort()
    .map(key => `${key}:${goText(value[key])}`)
    .join(' ')}]`
}

const checkCount = (object: ApiObject, path: string): FieldError[] => {
  const value = read(object, path)
  if (value === undefined || value === null) return []
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    const shown =
      typeof value === 'number'
        ? 'float64'
        : Array.isArray(value)
          ? '[]interface {}'
          : isObject(value)
            ? 'map[string]interface {}'
            : typeof value === 'boolean'
              ? 'bool'
              : typeof value
    return [fieldInvalid(path, 0, `${path} accessor error: ${goText(value)} is of the type ${shown}, expected int64`)]
  }
  if (value < 0) return [fieldInvalid(path, value, 'should be a non-negative integer')]
  return value > MAX_REPLICAS ? [fieldInvalid(path, value, `should be less than or equal to ${MAX_REPLICAS}`)] : []
}

export const validateScaleSpec = (object: ApiObject, { specReplicasPath = '' }: ScalePaths): FieldError[] =>
  checkCount(object, specReplicasPath)

export const validateScaleStatus = (object: ApiObject, { statusReplicasPath = '' }: ScalePaths): FieldError[] =>
  checkCount(object, statusReplicasPath)
