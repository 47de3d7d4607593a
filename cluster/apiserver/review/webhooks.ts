/** The webhooks of all configurations of one kind, in the order in which they are asked, and those a request is for. */
import { type Webhook, webhooksOf } from '#cluster/api/admission-registration/webhook.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import type { Invocation } from './call-webhook.ts'
import { isExempt, matchedVersion, matchesNamespace, matchesObject } from './matching.ts'

export interface KnownWebhook {
  /** Of its configuration and itself: tells it apart from all others. */
  readonly id: string
  readonly webhook: Webhook
}

export class Webhooks {
  readonly #cacher: Cacher
  readonly #cache: WatchCache
  readonly #versionsOf: (kind: Kind) => readonly Kind[]
  #known: readonly KnownWebhook[] | undefined

  constructor(cacher: Cacher, kind: Kind, versionsOf: (kind: Kind) => readonly Kind[]) {
    this.#cacher = cacher
    this.#cache = cacher.cache(kind)
    this.#versionsOf = versionsOf
    this.#cache.subscribe(() => {
      this.#known = undefined
    })
  }

  /** By the names of their configurations, each as it lists them. None for what is nobody's to hold up. */
  for(request: AdmissionRequest): readonly KnownWebhook[] {
    if (this.#cache.size === 0 || isExempt(request)) return []
    this.#known ??= this.#cache
      .list()
      .flatMap(({ object }) =>
        webhooksOf(object).map(webhook => ({ id: `${object.metadata.uid}/${webhook.name}`, webhook })),
      )
    return this.#known
  }

  /** Undefined: the webhook is not about this request. */
  invocation({ webhook }: KnownWebhook, request: AdmissionRequest): Invocation | undefined {
    const { rules = [], matchPolicy, namespaceSelector, objectSelector } = webhook
    if (!matchesNamespace(namespaceSelector, request, this.#cacher) || !matchesObject(objectSelector, request))
      return undefined
    const versions = matchPolicy === 'Exact' ? [] : this.#versionsOf(request.kind)
    const version = matchedVersion(rules, request, versions)
    return version && { webhook, version }
  }
}
