/**
 * A store in a few lines, for planners alone: objects by kind and key, and transactions that compare before they
 * write. `apiserver` gives one server's view of it, which lags behind until `catchUp`, as the memory of a second
 * apiserver does.
 */
import assert from 'node:assert/strict'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { PlanContext, Planner } from '#cluster/apiserver/planner.ts'
import type { Result } from '#lib/result.ts'

const keyOf = (kind: Kind, namespace: string | undefined, name: string): string =>
  `${kind.resource}/${namespace ?? ''}/${name}`
const keyOfObject = (kind: Kind, { metadata }: ApiObject): string =>
  keyOf(kind, metadata.namespace, metadata.name ?? assert.fail('an object without a name'))

interface Entry {
  readonly object: ApiObject
  readonly revision: number
}

interface Operation {
  readonly key: string
  /** Undefined: delete. */
  readonly object: ApiObject | undefined
  /** 0: must not exist. */
  readonly expected: number
}

export class MemoryStore {
  readonly entries = new Map<string, Entry>()
  #revision = 0

  commit(operations: readonly Operation[]): boolean {
    for (const { key, expected } of operations) if ((this.entries.get(key)?.revision ?? 0) !== expected) return false
    this.#revision++
    for (const { key, object } of operations) {
      if (object) this.entries.set(key, { object: structuredClone(object), revision: this.#revision })
      else this.entries.delete(key)
    }
    return true
  }

  put(kind: Kind, object: ApiObject): void {
    const key = keyOfObject(kind, object)
    this.commit([{ key, object, expected: this.entries.get(key)?.revision ?? 0 }])
  }

  names(kind: Kind): string[] {
    const prefix = `${kind.resource}/`
    return [...this.entries.keys()].filter(key => key.startsWith(prefix)).map(key => key.split('/')[2]!)
  }
}

export interface Write {
  readonly verb: PlanContext['verb']
  readonly object: ApiObject
  readonly dryRun?: boolean
}

export class MemoryApiserver {
  readonly #store: MemoryStore
  readonly #planner: Planner
  #memory = new Map<string, Entry>()
  /** How often a write had to be tried again. */
  retries = 0
  /** How many single objects the planner looked up. */
  reads = 0

  constructor(store: MemoryStore, planner: Planner) {
    this.#store = store
    this.#planner = planner
    this.catchUp()
  }

  catchUp(): void {
    this.#memory = new Map(this.#store.entries)
  }

  /** Plans once against memory and tries to commit. Undefined: something had changed; memory is newer now. */
  attempt({ verb, object, dryRun = false }: Write): Result<ApiObject, Status> | undefined {
    const operations = new Map<string, Operation>()
    const next = structuredClone(object)
    const { kind } = this.#planner
    const current = this.#memory.get(keyOfObject(kind, next))
    const add = (of: Kind, target: ApiObject, written: boolean, fresh: boolean) => {
      const key = keyOfObject(of, target)
      assert.ok(!operations.has(key), `${key} is written twice`)
      const expected = fresh ? 0 : (this.#memory.get(key)?.revision ?? assert.fail(`${key} was never read`))
      operations.set(key, { key, object: written ? target : undefined, expected })
    }
    const planned = this.#planner.plan({
      verb,
      object: next,
      current: current && structuredClone(current.object),
      dryRun,
      get: (of, namespace, name) => {
        this.reads++
        return this.#memory.get(keyOf(of, namespace, name))?.object
      },
      list: of =>
        [...this.#memory].filter(([key]) => key.startsWith(`${of.resource}/`)).map(([, entry]) => entry.object),
      create: (of, target) => add(of, target, true, true),
      update: (of, target) => add(of, target, true, false),
      remove: (of, target) => add(of, target, false, false),
      warn: () => {},
    })
    if (!planned.ok) return planned
    add(kind, next, verb !== 'delete', verb === 'create')
    if (dryRun || this.#store.commit([...operations.values()])) {
      this.catchUp()
      return { ok: true, value: next }
    }
    this.retries++
    this.catchUp()
    return undefined
  }

  write(write: Write): Result<ApiObject, Status> {
    for (let tries = 0; tries < 100; tries++) {
      const result = this.attempt(write)
      if (result) return result
    }
    return assert.fail('100 tries were not enough')
  }
}
