/**
 * The plugin contract. A plugin is one file in `plugins/`, named after its directive; `plugins/order.ts` is the one list
 * in which they run (CoreDNS's own order, whatever the Corefile's), `plugins/index.ts` the ones that exist.
 *
 * The life of a plugin: the Corefile is parsed → `setup` reads the directive's lines into a frozen value or a problem
 * with its line → `start` → `handle` for each query → `close`. When the Corefile is reloaded the new instance is set up
 * and started before the old one is closed, so `handle` of both may run for a moment.
 *
 * A plugin may answer, pass the query on, or pass it on and look at what comes back: `handle(query, next)`.
 */
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Registry } from '#lib/metrics.ts'
import type { Random } from '#lib/random.ts'
import type { Result } from '#lib/result.ts'
import type { PropertyTable } from './corefile/directive-reader.ts'
import type { CorefileProblem, Directive } from './corefile/syntax.ts'
import type { HttpEndpoint, ListenerTimeouts, TlsIdentity } from './listener.ts'
import type { MetricTable } from './metrics.ts'
import type { Next } from './next.ts'
import type { Endpoint, Query, Transport } from './query.ts'
import type { Datagrams } from './upstream/datagrams.ts'
import type { Answer, Verdict } from './verdict.ts'
import type { EdnsOption } from './wire/edns.ts'
import type { DnsName, ResourceRecord } from './wire/record.ts'
import type { ClusterSource } from './zone/cluster-source.ts'
import type { ClusterZones } from './zone/cluster-zones.ts'

/** What went back to the client, for those who count and log. */
export interface Reply {
  /** Absent: silence. */
  readonly answer: Answer | undefined
  /** The plugin that answered; `''`: none did. */
  readonly by: string
  /** The bytes that were sent; absent: silence. */
  readonly packet: Buffer | undefined
  /** From the arrival of the query. */
  readonly duration: Milliseconds
}

/** Told of every reply, whatever the server block. Must not throw or wait. */
export interface ReplyObserver {
  /** Of every reply but those that were given from the memo. */
  observe(query: Query, reply: Reply): void
  /** So many replies of this kind were given from the memo: the query is one of its kind. */
  observeHits(query: Query, reply: Reply, hits: number): void
  /** One of the replies that were given from the memo, to rank clients and names by: it stands for so many. */
  observeSample(query: Query, reply: Reply, weight: number): void
}

/** A message to another server and what came back, as they were on the wire. */
export interface UpstreamExchange {
  readonly transport: Transport
  readonly address: string
  readonly port: number
  readonly query: Buffer
  /** Absent: nothing came. */
  readonly response?: Buffer
  /** On the clock's monotonic scale, like `received`. */
  readonly sent: Milliseconds
  readonly received?: Milliseconds
}

/** dnsmasq's counters, by its names (`cachesize.bind` …). */
export interface CacheCounters {
  /** Entries that there is room for. */
  readonly cachesize: number
  readonly insertions: number
  readonly evictions: number
  readonly misses: number
  readonly hits: number
}

/** What comes to the server. */
export interface Traffic {
  /** How long no query has come. */
  readonly quietFor: () => Milliseconds
}

/** One kept answer, as people read it. */
export interface CacheDumpEntry {
  readonly name: DnsName
  /** Mnemonic: `AAAA`. */
  readonly type: string
  /** Mnemonic: `NOERROR`, `NXDOMAIN`. */
  readonly rcode: string
  /** Until it expires; negative: kept beyond that, to be served stale (RFC 8767). */
  readonly remaining: Milliseconds
  readonly bytes: number
  /** In presentation format. */
  readonly records: readonly string[]
}

/** What a zone holds, to be copied to another server (RFC 5936). */
export interface ZoneCopy {
  /** Undefined: the plugin does not know its zone yet. */
  readonly soa: ResourceRecord | undefined
  /** Without the SOA; all of one moment, though they are read later. */
  readonly records: Iterable<ResourceRecord>
}

/** A server that a plugin sends questions to. */
export interface AskedServer {
  /** `192.0.2.1:53`. */
  readonly label: string
  /** Asks it, outside of all bookkeeping. Resolves with the RCODE of any reply at all, rejects without one. */
  probe(name: DnsName, type: number): Promise<number>
  /** Whether it is asked nothing from now on, since it leads back to this server. */
  exclude(excluded: boolean): void
}

/** What a plugin sends to other servers. */
export interface Forwarding {
  /** Questions in this zone go there. */
  readonly zone: () => DnsName
  /** As they are now: a resolv.conf may change. */
  readonly servers: () => readonly AskedServer[]
}

export interface Plugin {
  readonly name: string
  /** Absent: the plugin only adds listeners or life (health, reload, bind). */
  readonly handle?: (query: Query, next: Next) => MaybePromise<Verdict>
  /**
   * Whether the block is for the question; absent: for all. Where it is not, the next block of the same zone and listener
   * may be. Asked before any `handle`; must not throw or wait.
   */
  readonly admits?: (query: Query) => boolean
  /**
   * Whether `handle` takes questions of every class; absent: of IN alone. A question of another class that no such plugin
   * answers is REFUSED.
   */
  readonly allClasses?: boolean
  /**
   * Whether what `handle` does with a question depends on the question, its flags and EDNS alone, and on what the
   * environment's board is told of when it changes: not on the client, the time or chance. An answer that passes
   * through it may then be given again (resolver/memo.ts). Absent: no.
   */
  readonly steady?: boolean
  /** Whether `handle` asks the plugins behind it about every name that is theirs, whatever the name. Absent: no. */
  readonly transparent?: boolean
  /** EDNS options of every reply of the block to a client that sent OPT, whoever answered. Must not throw or wait. */
  readonly replyOptions?: (query: Query) => readonly EdnsOption[]
  /** The most bytes that the block takes and sends over UDP; the server's own size is the limit all the same. */
  readonly udpSize?: number
  /** Writes what it knows of a question, by its keys (`kubernetes/namespace`); the `metadata` plugin asks. */
  readonly provideMetadata?: (query: Query, metadata: Map<string, string>) => void
  /** Writes what all plugins of the block know of a question, before any of them handles it. For `view`. */
  readonly collectMetadata?: (query: Query, metadata: Map<string, string>) => void
  /** Whether the queries of the block carry a trace. */
  readonly wantsTrace?: boolean
  /** The servers that it asks; `loop` finds out whether one of them leads back here. */
  readonly forwarding?: Forwarding
  /** What a cache has counted since the program began; `chaos` tells it. */
  readonly cacheCounters?: () => CacheCounters
  /** The strings that the plugin has to tell under a canonical name of class CH (`sync.age.`), for `chaos`. */
  readonly chaosText?: (name: DnsName) => readonly string[] | undefined
  /** What a cache holds at this moment, for the page `/cache`; read while it is written to the client. */
  readonly cacheDump?: () => Iterable<CacheDumpEntry>
  /** Forgets what is kept only to be quick and reads files again that it has read: SIGHUP, as dnsmasq has it. */
  readonly clear?: () => MaybePromise<void>
  /** Numbers worth a line in the log on SIGUSR1 (dnsmasq) and on the page `/statistics`, by their names. */
  readonly statistics?: () => Readonly<Record<string, unknown>>
  /** Told of every reply of the block after it has become bytes (log, prometheus, errors). Must not throw or wait. */
  readonly report?: (query: Query, reply: Reply) => void
  /**
   * Told that so many more replies like this one were given, none of which `report` hears of. Absent, and the plugin
   * has `report`: no reply of the block is given without asking it.
   */
  readonly reportHits?: (query: Query, reply: Reply, hits: number) => void
  /** Told of every exchange with another server for questions of the block (dnstap). Must not throw or wait. */
  readonly reportExchange?: (exchange: UpstreamExchange) => void
  /** Who the block's listeners are to clients of TLS and HTTPS. */
  readonly identity?: TlsIdentity
  /** How patient the block's listeners are. */
  readonly timeouts?: ListenerTimeouts
  /** HTTP endpoints that the plugin wants served. */
  readonly endpoints?: readonly HttpEndpoint[]
  /** Whether the plugin can do its work; absent: always. The `ready` plugin asks. */
  readonly ready?: () => boolean
  /**
   * After a reload, before `start`: the instance of the same directive, unchanged, in the same block before. The new one
   * may take over what is dear to make again (a cache's entries, a watch); `close` of the old one still follows.
   */
  readonly adopt?: (previous: Plugin) => void
  /** Zones in which it answers every question, and without another server, but for the targets of aliases. */
  readonly ownZones?: readonly DnsName[]
  /** The cluster that the plugin answers from, for others of its block; undefined until it has started. */
  readonly cluster?: () => ClusterZones | undefined
  /** The plugin's zone of this very name, as it is now; undefined: it has none. For `transfer`. */
  readonly copyZone?: (name: DnsName) => ZoneCopy | undefined
  /** Calls `onChange` with the name of a zone of the plugin's whenever its data are others. For `transfer`. */
  readonly watchZones?: (onChange: (zone: DnsName) => void) => void
  /** Another server says that a zone of its has changed (RFC 1996); undefined: the plugin does not have it from others. */
  readonly notified?: (zone: DnsName, client: Endpoint) => 'accepted' | 'refused' | undefined
  /**
   * The search domains that the client has by the plugin's own data, canonical, for a question in its zones; undefined:
   * it does not know the client. For `autopath`.
   */
  readonly searchList?: (query: Query) => readonly DnsName[] | undefined
  /** Resolves when the plugin may serve, not when it is ready: a slow apiserver must not hold up other names. */
  readonly start?: (signal: AbortSignal) => Promise<void>
  /** The server has been told to stop, and still serves: lameduck waits here. Called before any `close`. */
  readonly drain?: (traffic: Traffic) => Promise<void>
  readonly close?: () => Promise<void>
}

/** The server block that a directive stands in. */
export interface BlockContext {
  /** The block's zones, canonical, absolute: `cluster.local.`, `.`. */
  readonly zones: readonly string[]
  /** `dns://:53`, the metrics' `server` label; one a listener. */
  readonly servers: readonly string[]
  /** The block's view, the metrics' `view` label; `''`: it has none. */
  readonly view: string
  /** All directives of the block, for plugins that must know of another. */
  readonly directives: readonly Directive[]
  /** The block's plugins, in order; valid after setup. For what the contract lets one offer to others. */
  readonly plugins: () => readonly Plugin[]
}

/** What the world gives to plugins. Made by `cmd/`, or by a test. */
export interface Environment {
  readonly clock: Clock
  /** Told of changes that end answers that were kept (resolver/memo.ts). */
  readonly board: ChangeBoard
  /** Told of connections whose input must be taken in before what came after it is answered; absent: nobody asks. */
  readonly inputs?: InputLedger
  readonly random: Random
  /** UDP to other servers by the system's own calls; absent: by node:dgram. */
  readonly datagrams?: Datagrams | undefined
  readonly logger: Logger
  readonly registry: Registry
  /** Folder that relative paths in the Corefile start from. */
  readonly folder: string
  /** The program's version, for CHAOS and build_info. */
  readonly version: string
  /** The machine's name: in a pod, the pod's. For CHAOS and NSID. */
  readonly hostname: string
  /** IP addresses of this machine, loopback left out: apex NS records of the cluster zone. */
  readonly localAddresses: () => readonly string[]
  /** The program's environment: where a pod finds its apiserver, what exec credentials inherit. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Bytes that the container gives to the program; absent: what the machine has. */
  readonly memoryLimit?: number | undefined
  /** The resolv.conf whose search domains pods of this node inherit; default `/etc/resolv.conf`. */
  readonly resolvConf?: string
  /**
   * Where the program may keep what makes its next start quicker (the cluster's last state), one file a concept, each
   * written atomically; absent: nowhere.
   */
  readonly stateFolder?: string
  /**
   * Resolves when those who ask have been answered by what is known already; what has an earlier state to answer from
   * looks for a newer one then. Absent: it need not wait.
   */
  readonly answering?: Promise<void>
  /** Where the `kubernetes` plugin gets the cluster from; absent: it connects as its directive says. For tests. */
  readonly cluster?: ClusterSource
  /** Explicit flags that beat the Corefile, by flag name (`kubeconfig`, `health-address` …). */
  readonly overrides: Readonly<Record<string, string | undefined>>
  /** Asks this server itself, through the whole chain of the matching block (ExternalName targets, `loop`). */
  readonly resolveInternally: Next
  /** All plugin instances of the whole configuration, by the block's order; valid after setup. (`ready` asks them.) */
  readonly plugins: () => readonly Plugin[]
  /** Asks for the Corefile to be read again. */
  readonly requestReload: () => void
  /** The text of the whole Corefile with its imports, for `reload`'s hash. */
  readonly readCorefile: () => Promise<string>
  /** Writes a line to standard output: the query log, which collectors read there. */
  readonly print: (line: string) => void
}

export interface PluginModule {
  /** The directive's name. */
  readonly name: string
  /** Whether the directive may stand several times in a block; each line is then an instance of its own. */
  readonly repeatable?: boolean
  /** The properties that it takes and the metrics that it keeps, as data: `docs/plugins/NAME.md` is held against them. */
  readonly options?: PropertyTable
  readonly metrics?: MetricTable
  /** The folder that relative paths of the block start from, where it is this directive that says so. */
  readonly folder?: (directive: Directive, folder: string) => string
  /** Reads one directive. Opens nothing, starts nothing: `seamark dns` may only want to check. */
  readonly setup: (
    directive: Directive,
    block: BlockContext,
    environment: Environment,
  ) => Result<Plugin, CorefileProblem>
}
