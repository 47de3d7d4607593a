/**
 * What an object was, beside what it shall be: rules that became stricter meanwhile do not refuse what stays as it is
 * (KEP-4008). Parts are told apart as server-side apply does: by property, by a list's keys; items of other lists cannot.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../own-property.ts'
import type { Schema } from './schema.ts'

export class Ratchet {
  readonly #next: unknown
  readonly #current: unknown
  readonly #schema: Schema | undefined
  #unchanged: boolean | undefined
  #items: Map<string, unknown> | undefined

  constructor(next: unknown, current: unknown, schema: Schema | undefined) {
    this.#next = next
    this.#current = current
    this.#schema = schema
  }

  get unchanged(): boolean {
    this.#unchanged ??= isDeepStrictEqual(this.#next, this.#current)
    return this.#unchanged
  }

  get current(): unknown {
    return this.#current
  }

  /** Undefined: there was nothing to compare with. */
  key(name: string): Ratchet | undefined {
    const [next, current] = [this.#next, this.#current]
    if (!isObject(next) || !isObject(current) || this.#schema?.props['x-kubernetes-map-type'] === 'atomic')
      return undefined
    if (!Object.hasOwn(current, name)) return undefined
    const schema = this.#schema?.properties.get(name) ?? this.#schema?.additional
    return new Ratchet(next[name], current[name], isObject(schema) ? (schema as unknown as Schema) : undefined)
  }

  index(index: number): Ratchet | undefined {
    const [next, current] = [this.#next, this.#current]
    const keys = this.#schema?.props['x-kubernetes-list-map-keys']
    if (this.#schema?.props['x-kubernetes-list-type'] !== 'map' || !keys) return undefined
    if (!Array.isArray(next) || !Array.isArray(current)) return undefined
    this.#items ??= new Map(current.map(item => [identify(item, keys), item]))
    const identity = identify(next[index], keys)
    if (!this.#items.has(identity)) return undefined
    return new Ratchet(next[index], this.#items.get(identity), this.#schema.items)
  }
}

const identify = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map(key => (isObject(item) && Object.hasOwn(item, key) ? item[key] : null)))
