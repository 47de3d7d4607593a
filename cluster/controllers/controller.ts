/**
 * What a controller is: the objects that wake it, and what it does about one of them. Each is one file in `kinds/`.
 *
 * `reconcile` is given a key and nothing else: it looks at how things are now and brings them nearer to how they should
 * be. It may be called at any time, again and again; it is never called for one key twice at once. A failure of the
 * world is thrown: `loop.ts` tries again, later each time.
 */

import type { CertificateSigner } from '#cluster/pki/certificate-request.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { RestClient } from '#watcher/client.ts'
import type { RunningInformer } from '#watcher/create-informer.ts'
import type { ObjectKey } from '#watcher/informer.ts'
import type { View } from '#watcher/view.ts'
import type { MetadataSource } from './metadata-source.ts'

/** `settled`: nothing to do until something changes. `unsettled`: not there yet, look again soon. */
export type Verdict = 'settled' | 'unsettled' | { readonly again: Milliseconds }

export interface ControllerEnvironment {
  readonly client: RestClient
  readonly clock: Clock
  readonly logger: Logger
  /** PEM of the authority that signs the apiserver's certificate; undefined: one of the system's. */
  readonly authority: string | undefined
  /** What holds the cluster's CA; undefined: another program signs. */
  readonly signer: CertificateSigner | undefined
  readonly metadata: MetadataSource
  /** The informer of a view, the same for all who ask: one watch a resource, however many controllers read it. */
  informer<Object>(view: View<Object>): RunningInformer<Object>
}

export interface Controller {
  readonly name: string
  /** Tells `wake` which keys to look at, from now on; first of all those that are there. */
  readonly watch: (wake: (key: ObjectKey) => void) => void
  readonly reconcile: (key: ObjectKey, signal: AbortSignal) => Promise<Verdict>
}

/** One file of `kinds/`. */
export type CreateController = (environment: ControllerEnvironment) => Controller
