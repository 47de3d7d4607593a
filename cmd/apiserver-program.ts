/** The apiserver on its store, as one component: opened, bootstrapped, with kubeconfigs for all who need one. */
import { hostname } from 'node:os'
import { checkDnsSubdomain } from '#cluster/api/name.ts'
import { type Apiserver, createApiserver } from '#cluster/apiserver/apiserver.ts'
import { bootstrap } from '#cluster/apiserver/bootstrap/bootstrap.ts'
import { firstAddress } from '#cluster/apiserver/bootstrap/objects.ts'
import { CLUSTER_OPTIONS, checkClusterOptions } from '#cluster/apiserver/bootstrap/options.ts'
import { APISERVER_OPTIONS } from '#cluster/apiserver/options.ts'
import { ensurePki } from '#cluster/pki/pki.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { formatAddress } from '#lib/address.ts'
import { systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { OptionValues } from '#lib/options.ts'
import { systemRandom } from '#lib/random.ts'
import { addressOfFlag } from './address-flag.ts'
import { ensureDataDir } from './data-dir.ts'
import { optionValues } from './option-flags.ts'
import { reachableAddress } from './reachable-address.ts'

export interface ApiserverFlags {
  readonly dataDir: string
  readonly apiserverAddress: string
  readonly advertiseAddress?: string
  readonly serviceClusterIpRange: string
  readonly clusterDns: string
  readonly clusterDomain: string
  /** Where this machine's DNS server listens, for the slice of kube-dns; absent: nowhere. */
  readonly dnsAddress?: string
  readonly metricsAddress?: string
}

export interface ApiserverProgramEnvironment {
  readonly logger: Logger
  readonly registry: Registry
}

/** The options of CLUSTER_OPTIONS by the flags that set them. */
const CLUSTER_FLAGS: Readonly<Record<string, string>> = {
  serviceCidrs: '--service-cluster-ip-range',
  clusterDns: '--cluster-dns',
  advertiseAddress: '--advertise-address',
}

/** What the cluster is made with. @throws SeamarkError BAD_OPTION that names the flag */
const clusterOptions = (flags: ApiserverFlags): OptionValues<typeof CLUSTER_OPTIONS> => {
  try {
    const cluster = optionValues(CLUSTER_OPTIONS, {
      serviceCidrs: flags.serviceClusterIpRange,
      clusterDns: flags.clusterDns,
      advertiseAddress: flags.advertiseAddress,
    })
    checkClusterOptions(cluster)
    return cluster
  } catch (cause) {
    if (!(cause instanceof SeamarkError)) throw cause
    const message = cause.message.replace(/^\w+(?=:)/, name => CLUSTER_FLAGS[name] ?? name)
    throw new SeamarkError(cause.code, message, { cause })
  }
}

/** @throws SeamarkError BAD_OPTION */
const domainOf = ({ clusterDomain }: ApiserverFlags): string => {
  const [problem] = checkDnsSubdomain(clusterDomain)
  if (problem === undefined) return clusterDomain
  throw new SeamarkError('BAD_OPTION', `--cluster-domain: ${JSON.stringify(clusterDomain)}: ${problem}`)
}

export class ApiserverProgram implements Component {
  readonly name = 'apiserver'
  readonly #flags: ApiserverFlags
  readonly #environment: ApiserverProgramEnvironment
  #store: Store | undefined
  #apiserver: Apiserver | undefined

  constructor(flags: ApiserverFlags, environment: ApiserverProgramEnvironment) {
    this.#flags = flags
    this.#environment = environment
  }

  /** The bound address, from `start` on. */
  get address(): string {
    return this.#apiserver ? formatAddress(reachableAddress(this.#apiserver.address)) : this.#flags.apiserverAddress
  }

  /** What is in its memory, from `start` on. */
  get metadata(): Apiserver['metadata'] | undefined {
    return this.#apiserver?.metadata
  }

  async start(signal: AbortSignal): Promise<void> {
    const { logger, registry } = this.#environment
    const flags = this.#flags
    const address = addressOfFlag(flags.apiserverAddress, '--apiserver-address')
    const cluster = clusterOptions(flags)
    const clusterDomain = domainOf(flags)
    const dataDir = ensureDataDir(flags.dataDir)
    // The store's lock comes first: whoever does not get it must not touch the rest of the directory.
    const store = await openSqliteStore({ directory: dataDir.store, logger: logger.child({ room: 'store' }), registry })
    this.#store = store
    const pki = await ensurePki({
      directory: dataDir.folder,
      clock: systemClock,
      logger: logger.child({ room: 'pki' }),
    })
    const apiserver = createApiserver(
      {
        ...optionValues(APISERVER_OPTIONS, flags),
        address,
        clusterDomain,
        certificateAddresses: [firstAddress(cluster.serviceCidrs.split(',')), cluster.advertiseAddress].filter(Boolean),
      },
      {
        store,
        pki,
        clock: systemClock,
        random: systemRandom,
        logger: logger.child({ room: 'apiserver' }),
        registry,
        bootstrap: async (client, bound) => {
          await pki.writeKubeconfigs({
            server: `https://${formatAddress(reachableAddress(bound))}`,
            nodeName: hostname().toLowerCase(),
          })
          const options = {
            ...cluster,
            apiserver: bound,
            dns: flags.dnsAddress ? addressOfFlag(flags.dnsAddress, '--dns-address') : undefined,
            metrics: flags.metricsAddress ? addressOfFlag(flags.metricsAddress, '--metrics-address') : undefined,
          }
          await bootstrap(client, options, logger.child({ room: 'bootstrap' }))
        },
      },
    )
    this.#apiserver = apiserver
    await apiserver.start(signal)
  }

  async close(): Promise<void> {
    await this.#apiserver?.close()
    await this.#store?.close()
  }
}
