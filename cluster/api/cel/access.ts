/** What is at a place of a list, under a key of a map, in a field of an object. */
import { type CelType, DYN, fits, INT } from './type.ts'
import { CelError, type CelValue, Dictionary, NONE, OptionalValue, Unsigned } from './value.ts'

/** A list's place, a map's entry, an object's field. */
const entryOf = (container: CelValue, key: CelValue): CelValue | undefined => {
  if (container instanceof Dictionary) return container.get(key)
  if (!Array.isArray(container)) throw new CelError('no such overload')
  const index = key instanceof Unsigned ? key.value : key
  if (typeof index !== 'bigint' && !(typeof index === 'number' && Number.isInteger(index)))
    throw new CelError('no such overload')
  return container[Number(index)]
}

const missing = (container: CelValue, key: CelValue): CelError => {
  const shown = key instanceof Unsigned ? key.value : key
  return new CelError(Array.isArray(container) ? `index out of bounds: ${shown}` : `no such key: ${shown}`)
}

/** Of an optional container, an optional entry. */
export const access = (container: CelValue, key: CelValue): CelValue => {
  if (container instanceof OptionalValue) return optionalEntry(container, key)
  const found = entryOf(container, key)
  if (found === undefined) throw missing(container, key)
  return found
}

export const optionalEntry = (container: CelValue, key: CelValue): CelValue => {
  const inner = container instanceof OptionalValue ? container.value : container
  if (inner === undefined) return NONE
  const found = entryOf(inner, key)
  return found === undefined ? NONE : new OptionalValue(found)
}

/** Undefined: such a key is none of such a container. */
export const entryType = (container: CelType, key: CelType): CelType | undefined => {
  switch (container.form) {
    case 'dyn':
    case 'parameter':
      return DYN
    case 'list':
      return fits(INT, key) ? container.item : undefined
    case 'map':
      return fits(container.key, key) ? container.value : undefined
    default:
      return undefined
  }
}
