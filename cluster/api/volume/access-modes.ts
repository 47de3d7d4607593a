/** How a volume may be mounted: what volumes, claims and their columns share. */
import { type FieldError, fieldForbidden } from '../field-error.ts'

const SHORT: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

const ONE_POD = 'ReadWriteOncePod'

export const accessModesText = (modes: readonly string[] = []): string =>
  SHORT.flatMap(([mode, short]) => (modes.includes(mode) ? short : [])).join(',')

/** `modes` from a set that types.json closes. */
export const validateAccessModes = (modes: readonly string[], field: string): FieldError[] =>
  modes.includes(ONE_POD) && modes.some(mode => mode !== ONE_POD)
    ? [fieldForbidden(field, 'may not use ReadWriteOncePod with other access modes')]
    : []
