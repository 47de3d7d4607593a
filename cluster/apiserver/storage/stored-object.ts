/**
 * An object as the store has it: parsed and frozen, and its JSON with the resourceVersion in place, made once per change
 * and shared by every reader. The store holds the JSON without resourceVersion, which only the write's own revision can
 * give; it is put in right behind `"metadata":{`, so that nothing is serialised twice.
 *
 * Promised: nobody can change `object`; `json` is what a client gets.
 */
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import type { Revision } from '#cluster/store/kv.ts'
import { endOfObject } from './end-of-object.ts'
import { freeze } from './freeze.ts'
import { shareFields } from './shared-fields.ts'

type Identity = Pick<ApiObject, 'kind' | 'apiVersion'>

const identityOf = (kind: Kind): Identity => ({ kind: kind.kind, apiVersion: apiVersionOf(kind) })
const head = ({ kind, apiVersion }: Identity): string =>
  `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`
const METADATA = '"metadata":{'

const heads = new WeakMap<Kind, string>()

const headOf = (kind: Kind): string => {
  const known = heads.get(kind)
  if (known !== undefined) return known
  const made = head(identityOf(kind))
  heads.set(kind, made)
  return made
}

/** An object's JSON: kind, apiVersion and metadata first, no resourceVersion. */
const serialize = (object: ApiObject): Buffer => {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
  const { resourceVersion: _resourceVersion, ...kept } = metadata
  const tail = JSON.stringify(rest)
  const body = `${head(object)}"metadata":${JSON.stringify(kept)}`
  return Buffer.from(tail === '{}' ? `${body}}` : `${body},${tail.slice(1)}`)
}

/** The bytes that the store keeps for an object of `kind`. */
export const encodeStored = (kind: Kind, object: ApiObject): Buffer =>
  serialize(kind.storage ? kind.storage.toStored(object) : object)

/** Objects by the bytes that were made of them here: bytes that come back from the store need no reading then. */
const written = new WeakMap<Uint8Array, ApiObject>()

/**
 * The same for an object about to be written: canonical (`encodeObject`), and nobody's to change any more, for it is the
 * one that memory will hold.
 */
export const encodeWritten = (kind: Kind, object: ApiObject): Buffer => {
  const bytes = encodeStored(kind, object)
  if (!kind.storage) written.set(bytes, object)
  return bytes
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export class StoredObject {
  readonly kind: Kind
  /** `NAMESPACE/NAME`, or `NAME` of a cluster's own. */
  readonly key: string
  /** Deeply frozen. */
  readonly object: ApiObject
  readonly revision: Revision
  readonly json: Buffer
  /** What memory has, where this is that in another version. */
  #origin: StoredObject | undefined
  /** Where the resourceVersion's member and its comma end in `json`. */
  readonly #versionEnd: number
  /** Where the metadata ends in `json`, once somebody has asked. */
  #metadataEnd: number | undefined
  #fields: Readonly<Record<string, string>> | undefined

  private constructor(kind: Kind, parts: { key: string; object: ApiObject; revision: Revision; rest: Uint8Array }) {
    this.kind = kind
    this.key = parts.key
    this.revision = parts.revision
    parts.object.metadata.resourceVersion = String(parts.revision)
    freeze(parts.object)
    this.object = parts.object
    // Every object has a name, so the metadata is never empty and a comma belongs here.
    const start = `${headOf(kind)}${METADATA}"resourceVersion":"${parts.revision}",`
    this.#versionEnd = start.length
    // Written in place: what else came from the pool would be held in memory as long as the object. ASCII, all of it.
    this.json = Buffer.allocUnsafe(start.length + parts.rest.length)
    this.json.write(start, 'latin1')
    this.json.set(parts.rest, start.length)
  }

  /** Reads what `encodeStored` wrote. Throws when the bytes are no such thing (a damaged store). */
  static decode(kind: Kind, key: string, stored: { value: Uint8Array; modRevision: Revision }): StoredObject {
    const value = asBuffer(stored.value)
    const known = kind.storage ? undefined : written.get(stored.value)
    // It is the first reader's alone: two apiservers over one store each have their own.
    written.delete(stored.value)
    const read = known ?? (JSON.parse(value.toString()) as ApiObject)
    shareFields(read)
    const object = kind.storage ? kind.storage.fromStored(read) : read
    const bytes = kind.storage ? serialize(object) : value
    const offset = head(object).length + METADATA.length
    const rest = bytes.subarray(offset)
    return new StoredObject(kind, { key, object, revision: stored.modRevision, rest })
  }

  /** The same state in another version; `object` is the callee's. */
  as(object: ApiObject): StoredObject {
    shareFields(object)
    const rest = serialize(object).subarray(head(object).length + METADATA.length)
    const other = new StoredObject(this.kind, { key: this.key, object, revision: this.revision, rest })
    other.#origin = this
    return other
  }

  /** The same state under a later revision: how a deletion reports what it ended. */
  at(revision: Revision): StoredObject {
    const { metadata, ...rest } = this.object
    return new StoredObject(this.kind, {
      key: this.key,
      object: { ...rest, metadata: { ...metadata } } as ApiObject,
      revision,
      rest: this.json.subarray(this.#versionEnd),
    })
  }

  /** Whether these bytes of `encodeStored` are what the store has. */
  isStoredAs(bytes: Uint8Array): boolean {
    if (this.#origin) return this.#origin.isStoredAs(bytes)
    if (this.kind.storage) return encodeStored(this.kind, this.object).equals(bytes)
    const rest = bytes.subarray(headOf(this.kind).length + METADATA.length)
    return this.json.subarray(this.#versionEnd).equals(rest)
  }

  /** `json` without kind and apiVersion, as an item of a typed list has it: all but the `{` that comes first. */
  get itemTail(): Buffer {
    return this.json.subarray(headOf(this.kind).length)
  }

  /** The part of `json` that is the metadata. */
  get metadataJson(): Buffer {
    const start = headOf(this.kind).length + METADATA.length - 1
    this.#metadataEnd ??= endOfObject(this.json, start)
    return this.json.subarray(start, this.#metadataEnd)
  }

  /** The values of the field selector's keys. */
  get fields(): Readonly<Record<string, string>> {
    const { name = '', namespace = '' } = this.object.metadata
    this.#fields ??= {
      ...this.kind.selectableFields?.(this.object),
      'metadata.name': name,
      ...(this.kind.namespaced ? { 'metadata.namespace': namespace } : {}),
    }
    return this.#fields
  }
}
