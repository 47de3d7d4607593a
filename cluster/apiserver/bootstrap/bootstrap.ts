/**
 * Makes the objects that every cluster starts with and mends them at each start: namespaces, roles, the range of Service
 * addresses, the Services `kubernetes` and `kube-dns` with the endpoints of this machine's servers.
 *
 * Promised: idempotent; what users added stays; an object that cannot be made or mended is logged, and the others are
 * made all the same. Not promised: that several apiservers merge their addresses; the last to start writes its own.
 */

import type { Kind } from '#cluster/api/kind.ts'
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { endpointsKind } from '#cluster/api/kinds/endpoints.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { priorityClassKind } from '#cluster/api/kinds/priority-class.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { SocketAddress } from '#lib/address.ts'
import type { Logger } from '#lib/log.ts'
import type { OptionValues } from '#lib/options.ts'
import type { LocalClient } from '../client.ts'
import { endpointSlice, legacyEndpoints, type SliceOptions } from './endpoints.ts'
import { ensure, keep, own, type Repair, repairService } from './ensure.ts'
import {
  firstAddress,
  kubeDnsService,
  kubernetesService,
  NAMESPACES,
  namespaceObject,
  priorityClassObjects,
  serviceCidrObject,
} from './objects.ts'
import { type CLUSTER_OPTIONS, checkClusterOptions, parseServiceCidrs } from './options.ts'
import { bootstrapRoles } from './roles.ts'

export interface BootstrapOptions extends OptionValues<typeof CLUSTER_OPTIONS> {
  /** Where the apiserver listens (its bound port). */
  readonly apiserver: SocketAddress
  /** Where the DNS server will listen; undefined: nowhere that this program knows of. */
  readonly dns?: SocketAddress | undefined
  readonly metrics?: SocketAddress | undefined
}

interface Work {
  readonly client: LocalClient
  readonly logger: Logger
}

const make = async ({ client, logger }: Work, kind: Kind, wanted: ApiObject, repair: Repair): Promise<void> => {
  const result = await ensure(client, kind, wanted, repair)
  if (result.ok) return
  const { namespace, name } = wanted.metadata
  logger.error({ kind: kind.kind, namespace, name, reason: result.problem.message }, 'cannot make a first object')
}

/** A slice's addressType cannot change: another family needs another slice. */
const makeSlice = async (work: Work, options: SliceOptions, reach: BootstrapOptions): Promise<void> => {
  const wanted = endpointSlice(options, reach)
  const current = await work.client.get(endpointSliceKind, options.namespace, options.name)
  if (current && current.addressType !== wanted.addressType)
    await work.client.remove(endpointSliceKind, options.namespace, options.name)
  await make(work, endpointSliceKind, wanted, own('endpoints', 'ports'))
}

const makeKubernetes = async (work: Work, options: BootstrapOptions, cidrs: readonly string[]): Promise<void> => {
  await make(work, serviceKind, kubernetesService(firstAddress(cidrs), options.apiserver), repairService)
  const slice: SliceOptions = {
    namespace: 'default',
    name: 'kubernetes',
    ports: [{ name: 'https', protocol: 'TCP', listens: options.apiserver }],
  }
  await make(work, endpointsKind, legacyEndpoints(slice, options), own('subsets'))
  await makeSlice(work, slice, options)
}

const makeKubeDns = async (work: Work, options: BootstrapOptions): Promise<void> => {
  if (options.clusterDns === '') return
  await make(work, serviceKind, kubeDnsService(options.clusterDns), repairService)
  const slice: SliceOptions = {
    namespace: 'kube-system',
    name: 'kube-dns',
    // Whose slice it is: controllers leave alone what another manages.
    labels: { 'endpointslice.kubernetes.io/managed-by': 'apiserver.seamark' },
    ports: [
      { name: 'dns', protocol: 'UDP', listens: options.dns },
      { name: 'dns-tcp', protocol: 'TCP', listens: options.dns },
      { name: 'metrics', protocol: 'TCP', listens: options.metrics },
    ],
  }
  await makeSlice(work, slice, options)
}

/** @throws SeamarkError BAD_OPTION for options that cannot be */
export const bootstrap = async (client: LocalClient, options: BootstrapOptions, logger: Logger): Promise<void> => {
  checkClusterOptions(options)
  const work: Work = { client, logger }
  const cidrs = parseServiceCidrs(options.serviceCidrs)
  for (const name of NAMESPACES) await make(work, namespaceKind, namespaceObject(name), keep)
  for (const wanted of priorityClassObjects()) await make(work, priorityClassKind, wanted, keep)
  await bootstrapRoles(client, logger)
  await make(work, serviceCidrKind, serviceCidrObject(cidrs), keep)
  const made = await client.get(serviceCidrKind, undefined, 'kubernetes')
  const { cidrs: actual } = (made?.spec ?? {}) as { cidrs?: string[] }
  if (actual && actual.join() !== cidrs.join())
    logger.warn({ asked: cidrs, actual }, 'the cluster keeps the Service range that it was made with')
  await makeKubernetes(work, options, actual ?? cidrs)
  await makeKubeDns(work, options)
}
