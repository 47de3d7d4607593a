/** Copies of JSON values: several times quicker than structuredClone, which must know every type there is. */
import { setOwn } from './own-property.ts'

/** A deep copy of a JSON value, which nothing frozen or shared is left in. */
export const cloneJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloneJson) as T
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson((value as Record<string, unknown>)[key]))
  return copy as T
}
