/**
 * The contract of what looks at a write after its user was allowed to ask for it: plugins fill in what the cluster
 * decides (`admit`), then say what must not be (`validate`). Each is one file of the drawer `admission/`; their order is
 * that of its index.
 *
 * Promised: `admit` sees the object with its defaults, and may be called again for one request whose write lost a race;
 * `validate` sees what would be stored. Writes of the apiserver itself (the local client) pass by.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { User } from './authenticator.ts'

export interface AdmissionRequest {
  readonly verb: 'create' | 'update' | 'delete'
  readonly kind: Kind
  /** '' for the object itself. */
  readonly subresource: string
  /** Undefined for what lies in no namespace. */
  readonly namespace: string | undefined
  /** '' where it is not generated yet. */
  readonly name: string
  /** About to be written; `admit` may change it. For a delete: the object that goes. */
  readonly object: ApiObject
  /** What the object is. Undefined on create. */
  readonly current: ApiObject | undefined
  readonly user: User
  readonly dryRun: boolean
  readonly warn: (text: string) => void
}

/** Undefined: nothing against it. */
export type Refusal = Status | undefined

export interface AdmissionPlugin {
  /** As Kubernetes names it. */
  readonly name: string
  readonly admit?: (request: AdmissionRequest) => Refusal | Promise<Refusal>
  readonly validate?: (request: AdmissionRequest) => Refusal | Promise<Refusal>
}

/** The plugins of a server, asked one after the other until one refuses. */
export class Admission {
  readonly #plugins: readonly AdmissionPlugin[]

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  async admit(request: AdmissionRequest): Promise<Refusal> {
    for (const { admit } of this.#plugins) {
      const verdict = admit?.(request)
      const refusal = verdict instanceof Promise ? await verdict : verdict
      if (refusal) return refusal
    }
    return undefined
  }

  async validate(request: AdmissionRequest): Promise<Refusal> {
    for (const { validate } of this.#plugins) {
      const verdict = validate?.(request)
      const refusal = verdict instanceof Promise ? await verdict : verdict
      if (refusal) return refusal
    }
    return undefined
  }
}
