/**
 * The contract of what looks at a write after its user was allowed to ask for it: plugins fill in what the cluster
 * decides (`admit`), then say what must not be (`validate`). Each is one file of the drawer `admission/`; their order is
 * that of its index.
 *
 * Promised: `admit` sees the object with its defaults, and may be called again: for a request whose write lost a race,
 * and once more for all plugins when one has changed what others have looked at already. `validate` sees what would be
 * stored. Writes of the apiserver itself (the local client) pass by.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { AdmissionMetrics, Phase, Verb } from './admission-metrics.ts'
import type { User } from './authenticator.ts'

export interface AdmissionRequest {
  readonly verb: Verb
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
  /** CreateOptions and their like, as metav1 writes them; absent: none were given. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly warn: (text: string) => void
}

/** Undefined: nothing against it. */
export type Refusal = Status | undefined

export interface AdmissionPlugin {
  /** As Kubernetes names it. */
  readonly name: string
  readonly admit?: (request: AdmissionRequest) => MaybePromise<Refusal>
  /** Asked when all have admitted the request: whether all shall be asked once more, for it is no longer as they saw it. */
  readonly wantsAgain?: (request: AdmissionRequest) => boolean
  readonly validate?: (request: AdmissionRequest) => MaybePromise<Refusal>
}

/** What is measured, and by which clock. */
export interface AdmissionMeasure {
  readonly metrics: AdmissionMetrics
  readonly monotonic: () => Milliseconds
}

/** The plugins of a server, asked one after the other until one refuses. */
export class Admission {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #asked: Readonly<Record<Phase, readonly AdmissionPlugin[]>>
  readonly #measure: AdmissionMeasure | undefined

  constructor(plugins: readonly AdmissionPlugin[], measure?: AdmissionMeasure) {
    this.#plugins = plugins
    this.#asked = { admit: plugins.filter(({ admit }) => admit), validate: plugins.filter(({ validate }) => validate) }
    this.#measure = measure
  }

  admit(request: AdmissionRequest): Promise<Refusal> {
    return this.#step('admit', request, async () => {
      const refusal = await this.#ask('admit', request)
      if (refusal || !this.#plugins.some(({ wantsAgain }) => wantsAgain?.(request))) return refusal
      return this.#ask('admit', request)
    })
  }

  validate(request: AdmissionRequest): Promise<Refusal> {
    return this.#step('validate', request, () => this.#ask('validate', request))
  }

  async #step(phase: Phase, request: AdmissionRequest, ask: () => Promise<Refusal>): Promise<Refusal> {
    const measure = this.#measure
    if (!measure) return ask()
    const start = measure.monotonic()
    const refusal = await ask()
    measure.metrics.step(phase, request, (measure.monotonic() - start) / 1000, refusal !== undefined)
    return refusal
  }

  async #ask(phase: Phase, request: AdmissionRequest): Promise<Refusal> {
    const measure = this.#measure
    let start = measure?.monotonic() ?? 0
    for (const plugin of this.#asked[phase]) {
      const verdict = plugin[phase]?.(request)
      const refusal = verdict instanceof Promise ? await verdict : verdict
      if (measure) {
        const end = measure.monotonic()
        measure.metrics.plugin(plugin.name, phase, request, (end - start) / 1000, refusal !== undefined)
        start = end
      }
      if (refusal) return refusal
    }
    return undefined
  }
}
