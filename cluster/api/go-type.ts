/** What Go's encoding/json says of a value that does not fit where it stands. */

const goTypeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** What follows is what it should have been: `Go value of type …`. */
export const cannotUnmarshal = (value: unknown): string => `json: cannot unmarshal ${goTypeOf(value)} into`
