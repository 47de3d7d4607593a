/**
 * A ServiceCIDR stays, by a finalizer, as long as addresses are taken from it that no other ServiceCIDR covers
 * (KEP-1880). Its condition Ready says whether it gives addresses.
 */

import { type Cidr, parseCidr, parseIp } from '#cluster/api/ip.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { ApiObject as ClientObject } from '#watcher/object.ts'
import type { CreateController } from '../controller.ts'
import { ipAddresses, serviceCidrs } from '../views.ts'

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'

/** So long after the deletion began, no apiserver still writes an address that it chose before it heard of it. */
const SETTLING: Milliseconds = 10_000

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

interface ServiceCidr extends ClientObject {
  readonly spec?: { readonly cidrs?: readonly string[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

type Network = Cidr['address']

const covers = ({ address, prefix, family }: Cidr, ip: Network): boolean =>
  (ip.kind() === 'ipv6') === (family === 'IPv6') &&
  ip.toByteArray().every((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8))
    const mask = (0xff << (8 - bits)) & 0xff
    return (byte & mask) === ((address.toByteArray()[index] ?? 0) & mask)
  })

const READY: Condition = { type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' }
const HELD: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

const rangesOf = (cidrs: readonly string[] = []): Cidr[] => cidrs.map(parseCidr).filter(cidr => cidr !== undefined)

export const serviceCidrController: CreateController = environment => {
  const ranges = environment.informer(serviceCidrs)
  const addresses = environment.informer(ipAddresses)
  const { client, clock } = environment
  const { resource } = serviceCidrs

  /** Whether an address lies in `own` and in no range of another ServiceCIDR that stays. */
  const isNeeded = (name: string, own: readonly Cidr[]): boolean => {
    const others: Cidr[] = []
    for (const [, other] of ranges.entries())
      if (other.name !== name && !other.deleting) others.push(...rangesOf(other.cidrs))
    for (const [address] of addresses.entries()) {
      const ip = parseIp(address)
      if (ip && own.some(range => covers(range, ip)) && !others.some(range => covers(range, ip))) return true
    }
    return false
  }

  const say = async (cidr: ServiceCidr, condition: Condition, signal: AbortSignal): Promise<void> => {
    const now = cidr.status?.conditions?.find(({ type }) => type === condition.type)
    if (now?.status === condition.status && now.message === condition.message) return
    const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const status = { conditions: [{ reason: '', ...condition, lastTransitionTime }] }
    await client.updateStatus<ServiceCidr>(resource, { ...cidr, status }, { signal })
  }

  const protect = async (cidr: ServiceCidr, signal: AbortSignal): Promise<'settled'> => {
    const finalizers = cidr.metadata.finalizers ?? []
    if (finalizers.includes(FINALIZER)) await say(cidr, READY, signal)
    else {
      const metadata = { ...cidr.metadata, finalizers: [...finalizers, FINALIZER] }
      await say(await client.update<ServiceCidr>(resource, { ...cidr, metadata }, { signal }), READY, signal)
    }
    return 'settled'
  }

  return {
    name: 'service-cidr',
    watch(wake) {
      const wakeDeleting = () => {
        for (const [key, { deleting }] of ranges.entries()) if (deleting) wake(key)
      }
      ranges.subscribe(({ key }) => {
        wake(key)
        wakeDeleting()
      })
      addresses.subscribe(({ type }) => type === 'deleted' && wakeDeleting())
    },
    async reconcile(name, signal) {
      try {
        const cidr = await client.get<ServiceCidr>(resource, { name }, { signal })
        const { deletionTimestamp, finalizers = [] } = cidr.metadata
        if (deletionTimestamp === undefined) return await protect(cidr, signal)
        if (!finalizers.includes(FINALIZER)) return 'settled'
        if (isNeeded(name, rangesOf(cidr.spec?.cidrs))) {
          await say(cidr, HELD, signal)
          return 'settled'
        }
        const wait = Date.parse(deletionTimestamp) + SETTLING - clock.now()
        if (wait > 0) return { again: wait }
        const metadata = { ...cidr.metadata, finalizers: finalizers.filter(finalizer => finalizer !== FINALIZER) }
        await client.update<ServiceCidr>(resource, { ...cidr, metadata }, { signal })
      } catch (error) {
        if (isConflict(error)) return 'unsettled'
        if (!isNotFound(error)) throw error
      }
      return 'settled'
    },
  }
}
