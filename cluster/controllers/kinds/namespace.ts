/**
 * A namespace that is being deleted is emptied and then let go: everything in it is deleted, by discovery of all that
 * can be in one; its conditions say what it still waits for; when nothing is left, the finalizer `kubernetes` goes.
 */
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { CreateController, Verdict } from '../controller.ts'
import { type Discovery, discoverNamespaced } from '../discovery.ts'
import { conditionsOf, type Emptying, type Namespace, withConditions } from '../namespace-conditions.ts'
import { deleteContent } from '../namespace-content.ts'
import { namespaces } from '../views.ts'

const FINALIZER = 'kubernetes'

export const namespaceController: CreateController = environment => {
  const spaces = environment.informer(namespaces)
  const { client, clock, logger } = environment
  const { resource } = namespaces

  const empty = async (name: string, discovery: Discovery, signal: AbortSignal): Promise<Emptying> => {
    const emptying: Emptying = {
      discoveryFailures: discovery.failures,
      deleteFailures: [],
      remaining: [],
      finalizers: new Map(),
    }
    for (const found of discovery.resources) await deleteContent(client, found, { name, signal, emptying })
    return emptying
  }

  const finalize = async (namespace: Namespace, signal: AbortSignal): Promise<void> => {
    const finalizers = (namespace.spec?.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER)
    const spec = { ...namespace.spec, finalizers }
    await client.update<Namespace>(resource, { ...namespace, spec }, { signal, subresource: 'finalize' })
  }

  const settle = async (name: string, signal: AbortSignal): Promise<Verdict> => {
    const namespace = await client.get<Namespace>(resource, { name }, { signal })
    if (namespace.metadata.deletionTimestamp === undefined) return 'settled'
    if (!namespace.spec?.finalizers?.includes(FINALIZER)) return 'settled'
    const emptying = await empty(name, await discoverNamespaced(client, signal), signal)
    const next = withConditions(namespace, conditionsOf(emptying, clock.now()))
    const current = next === namespace ? namespace : await client.updateStatus(resource, next, { signal })
    const { discoveryFailures, deleteFailures, remaining } = emptying
    if (discoveryFailures.length + deleteFailures.length + remaining.length > 0) return 'unsettled'
    await finalize(current, signal)
    logger.info({ namespace: name }, 'namespace is empty and gone')
    return 'settled'
  }

  return {
    name: 'namespace',
    watch(wake) {
      spaces.subscribe(change => change.type !== 'deleted' && change.object.deleting && wake(change.key))
    },
    async reconcile(name, signal) {
      try {
        return await settle(name, signal)
      } catch (error) {
        if (isNotFound(error)) return 'settled'
        if (isConflict(error)) return 'unsettled'
        throw error
      }
    },
  }
}
