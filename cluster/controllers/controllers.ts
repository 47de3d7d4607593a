/**
 * The controllers: loops that bring the cluster to what its objects ask for. They know the apiserver only, share one
 * informer a resource as kube-controller-manager, and write each as the service account that its role is bound to.
 */
import type { CertificateSigner } from '#cluster/pki/certificate-request.ts'
import type { Clock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { Random } from '#lib/random.ts'
import type { ClusterAccess } from '#watcher/access.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer, type RunningInformer } from '#watcher/create-informer.ts'
import type { View } from '#watcher/view.ts'
import { accountCredentials } from './account-credentials.ts'
import type { Controller, ControllerEnvironment } from './controller.ts'
import { CONTROLLERS } from './kinds/index.ts'
import { Loop } from './loop.ts'
import { type MetadataSource, NO_METADATA } from './metadata-source.ts'

export interface ControllersOptions {
  /** Who the controllers are: `kube-controller-manager`. Its authority is published to every namespace. */
  readonly access: ClusterAccess
  /** What signs certificates that were approved. Default: another program does. */
  readonly signer?: CertificateSigner
  /** What is there, by metadata. Default: nothing is known, and no garbage collected. */
  readonly metadata?: MetadataSource
}

export interface ControllersEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: Registry
}

/** One informer a view, made when it is first asked for. */
class SharedInformers {
  readonly #informers = new Map<unknown, RunningInformer<unknown>>()
  readonly #create: <Object>(view: View<Object>) => RunningInformer<Object>

  constructor(create: <Object>(view: View<Object>) => RunningInformer<Object>) {
    this.#create = create
  }

  get<Object>(view: View<Object>): RunningInformer<Object> {
    const informer = this.#informers.get(view) ?? this.#create(view)
    this.#informers.set(view, informer as RunningInformer<unknown>)
    return informer as RunningInformer<Object>
  }

  get all(): readonly RunningInformer<unknown>[] {
    return [...this.#informers.values()]
  }
}

class Controllers implements Component {
  readonly name = 'controllers'
  readonly #options: ControllersOptions
  readonly #environment: ControllersEnvironment
  readonly #client: RestClient
  /** Of the controllers, each its own. */
  readonly #clients: RestClient[] = []
  /** In flow order: informers, then loops. */
  #parts: readonly Component[] = []

  constructor(options: ControllersOptions, environment: ControllersEnvironment) {
    this.#options = options
    this.#environment = environment
    const { clock, logger } = environment
    this.#client = new RestClient({ access: options.access, clock, logger, userAgent: 'seamark-controllers' })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, random, logger, registry } = this.#environment
    const client = this.#client
    const informers = new SharedInformers(view => createInformer(client, view, { clock, random, logger, registry }))
    const environment: ControllerEnvironment = {
      client,
      clock,
      logger,
      authority: await this.#options.access.authority(),
      signer: this.#options.signer,
      metadata: this.#options.metadata ?? NO_METADATA,
      informer: view => informers.get(view),
    }
    const controllers: Controller[] = CONTROLLERS.map(({ account, create }) =>
      create({ ...environment, client: this.#clientOf(account) }),
    )
    const ready = (stop: AbortSignal) => Promise.all(informers.all.map(informer => informer.whenSynced(stop)))
    const loops = controllers.map(controller => new Loop(controller, { clock, random, logger, ready }))
    this.#parts = [...informers.all, ...loops]
    for (const part of this.#parts) await part.start(signal)
  }

  async close(): Promise<void> {
    for (const part of [...this.#parts].reverse()) await part.close()
    await Promise.all(this.#clients.map(client => client.close()))
    await this.#client.close()
  }

  #clientOf(account: string): RestClient {
    const { clock, logger } = this.#environment
    const access = { ...this.#options.access, credentials: accountCredentials(this.#client, account, clock) }
    const client = new RestClient({ access, clock, logger, userAgent: `seamark-controllers/${account}` })
    this.#clients.push(client)
    return client
  }
}

export const createControllers = (options: ControllersOptions, environment: ControllersEnvironment): Component =>
  new Controllers(options, environment)
