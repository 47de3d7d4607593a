/** A schema without its limits on sizes. */
export const unlimited = <T>(schema: T): T => {
  if (Array.isArray(schema)) return schema.map(unlimited) as T
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([name]) => !['maxItems', 'maxLength', 'maxProperties'].includes(name))
  return Object.fromEntries(kept.map(([name, inner]) => [name, unlimited(inner)])) as T
}
