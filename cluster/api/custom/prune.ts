/** Leaves out what a schema does not know (KEP-1151), and tells what that was. */
import { isObject } from '../own-property.ts'
import { META_FIELDS, type Schema } from './schema.ts'

/** As Kubernetes bounds what it tells. */
const MAX_TOLD = 100

class Pruner {
  readonly unknown: string[] = []

  prune(value: unknown, schema: Schema | undefined, path: string, isResource: boolean): void {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        const inner = schema?.items
        this.prune(item, inner, `${path}[${index}]`, inner?.isEmbedded ?? false)
      }
    } else if (isObject(value)) this.#pruneObject(value, schema, path, isResource)
  }

  #pruneObject(value: Record<string, unknown>, schema: Schema | undefined, path: string, isResource: boolean): void {
    for (const key of Object.keys(value)) {
      if (isResource && META_FIELDS.has(key)) continue
      const at = path === '' ? key : `${path}.${key}`
      const property = schema?.properties.get(key)
      if (property) this.prune(value[key], property, at, property.isEmbedded)
      else if (schema?.additional !== undefined && schema.additional !== false) {
        const inner = isObject(schema.additional) ? (schema.additional as unknown as Schema) : undefined
        // What may be anything is still a place where nothing more is known.
        this.prune(value[key], inner, at, inner?.isEmbedded ?? false)
      } else if (!schema?.preservesUnknown) {
        delete value[key]
        if (this.unknown.length < MAX_TOLD) this.unknown.push(at)
      }
    }
  }
}

/** In place. `root`: the value is a resource, whose metadata is not the schema's business. Gives the paths, sorted. */
export const prune = (value: Record<string, unknown>, schema: Schema, root: boolean): readonly string[] => {
  const pruner = new Pruner()
  pruner.prune(value, schema, '', root || schema.isEmbedded)
  return pruner.unknown.sort()
}
