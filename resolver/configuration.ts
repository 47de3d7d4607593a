/**
 * A Corefile made into something that answers. `loadConfiguration` reads and checks everything and opens nothing, so it
 * serves `seamark dns` and a mere check alike; problems come all at once, each with its file and line.
 */
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { formatAddress } from '#lib/address.ts'
import { ChangeBoard } from '#lib/change-board.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { type Chain, composeChain } from './chain.ts'
import { suggestion } from './corefile/nearest.ts'
import { parseCorefile } from './corefile/parser.ts'
import { relativeOf } from './corefile/relatives.ts'
import { type PlannedBlock, planBlocks, readListenerOverrides } from './corefile/server-blocks.ts'
import {
  type Corefile,
  type CorefileProblem,
  type Directive,
  formatProblem,
  type Word,
  wordsOf,
} from './corefile/syntax.ts'
import type { DnsListener, HttpEndpoint, ListenerTimeouts, Responder } from './listener.ts'
import { panicMetrics, registerMetrics } from './metrics.ts'
import type { Next } from './next.ts'
import { ownZonesOf, type ZoneOwnership } from './own-zones.ts'
import type { Environment, Plugin, PluginModule, ReplyObserver, Traffic } from './plugin.ts'
import { loadPlugins, pluginNames } from './plugins/index.ts'
import { pluginOrder } from './plugins/order.ts'
import { Resolver } from './resolve.ts'
import { UnroutedMessages } from './unrouted.ts'
import { newCookieSecret, ServerCookies } from './wire/cookie.ts'
import type { DnsName } from './wire/record.ts'

export type CorefileSource =
  | { readonly file: string }
  /** `name` stands in problems; relative paths start from `folder`. */
  | { readonly text: string; readonly name: string; readonly folder: string }

/** What the program gives; the rest of the plugins' environment comes from the configuration itself. */
export interface World
  extends Omit<Environment, 'folder' | 'resolveInternally' | 'plugins' | 'readCorefile' | 'requestReload' | 'board'> {
  /** Absent: nobody keeps answers. */
  readonly board?: ChangeBoard
  /** Absent: those of this configuration alone, which nobody else could make. */
  readonly cookies?: ServerCookies
  /** For `{$NAME}` in the Corefile. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Absent: the configuration cannot be loaded anew (a test, a check). */
  readonly requestReload?: () => void
  /** Told of every reply, whatever the server block. Must not throw or wait. */
  readonly observer?: ReplyObserver
}

/** One set-up directive. */
export interface Instance {
  readonly plugin: Plugin
  readonly directive: Directive
  /** Zones and listeners of its block: with the directive's words they tell whether a reload changed it. */
  readonly block: PlannedBlock
}

/** A server block whose directives became plugins, in the order in which they run. */
interface BuiltBlock {
  readonly block: PlannedBlock
  readonly instances: readonly Instance[]
}

export class Configuration {
  readonly listeners: readonly DnsListener[]
  readonly endpoints: readonly HttpEndpoint[]
  readonly plugins: readonly Plugin[]
  /** The plugins with the directives that they were made from, by server block and in the order in which they run. */
  readonly instances: readonly Instance[]
  /** Whose names wait for no other server. */
  readonly ownZones: ZoneOwnership
  /** The Corefile's text with all imports. */
  readonly text: string
  readonly #resolver: Resolver
  #closing: Promise<void> | undefined

  constructor(blocks: readonly BuiltBlock[], text: string, world: World, board: ChangeBoard) {
    this.text = text
    this.instances = blocks.flatMap(block => block.instances)
    this.plugins = this.instances.map(({ plugin }) => plugin)
    this.listeners = distinctListeners(blocks)
    this.endpoints = distinctEndpoints(this.plugins)
    this.ownZones = ownZonesOf(
      blocks.map(({ block, instances }) => ({ zones: block.zones, plugins: instances.map(({ plugin }) => plugin) })),
    )
    const routes = new Map<string, Map<DnsName, Chain[]>>()
    for (const { block, instances } of blocks) {
      const chain = composeChain(
        instances.map(({ plugin }) => plugin),
        { zones: block.zones, view: block.view },
      )
      for (const { listener, zone } of block.served) {
        const zones = routes.get(listener.server) ?? new Map<DnsName, Chain[]>()
        routes.set(listener.server, zones.set(zone, [...(zones.get(zone) ?? []), chain]))
      }
    }
    this.#resolver = new Resolver({
      routes,
      clock: world.clock,
      board,
      logger: world.logger,
      panics: registerMetrics(world.registry, panicMetrics).panics,
      cookies: world.cookies ?? new ServerCookies({ clock: world.clock, secret: newCookieSecret(world.random) }),
      unrouted: new UnroutedMessages(world.registry),
      unroutedReporters: this.plugins.filter(({ name }) => name === 'prometheus').slice(0, 1),
      ...(world.observer && { observer: world.observer }),
    })
  }

  /** Answers a packet. */
  get responder(): Responder {
    return this.#resolver.respond
  }

  /** The verdict on a decoded question, with its trace, for explanations. Never throws. */
  conclude(query: Parameters<Next>[0]): ReturnType<Next> {
    return this.#resolver.conclude(query)
  }

  /** Asks the chain of the matching block, for plugins. */
  readonly ask: Next = query => this.#resolver.ask(query)

  /** After a reload, before `start`: plugins whose directive and block did not change take over from their namesakes. */
  adopt(previous: Configuration): void {
    const left = new Set(previous.instances)
    const adoptWhere = (isSamePlace: (old: PlannedBlock, block: PlannedBlock) => boolean, heirs: readonly Instance[]) =>
      heirs.filter(({ plugin, directive, block }) => {
        const old = [...left].find(
          candidate =>
            isSamePlace(candidate.block, block) &&
            isDeepStrictEqual(viewOf(candidate.block), viewOf(block)) &&
            isDeepStrictEqual(wordsOf(candidate.directive), wordsOf(directive)),
        )
        if (old) {
          left.delete(old)
          plugin.adopt!(old.plugin)
        }
        return !old
      })
    const heirs = this.instances.filter(({ plugin }) => plugin.adopt)
    const others = adoptWhere((old, block) => isDeepStrictEqual(old.served, block.served), heirs)
    // The block has moved to another address.
    adoptWhere((old, block) => isDeepStrictEqual(old.zones, block.zones), others)
  }

  /** Starts all plugins together; when one fails, all are closed and its error is thrown. */
  async start(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all(this.plugins.map(plugin => plugin.start?.(signal)))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The program was told to stop and still serves: resolves when it may end (health's lameduck). */
  async drain(traffic: Traffic): Promise<void> {
    await Promise.all(this.plugins.map(plugin => plugin.drain?.(traffic)))
  }

  /** Idempotent; the last plugin first. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const plugin of this.plugins.toReversed()) await plugin.close?.()
  }
}

/** What an answer is kept for: blocks of one zone with different views have different answers. */
const viewOf = ({ directives }: PlannedBlock): readonly unknown[] =>
  directives.filter(({ name }) => name.text === 'view').map(wordsOf)

/** By directive. */
export type PluginModules = ReadonlyMap<string, PluginModule>

/** Reads, parses, loads the plugins that are named and sets them up. Opens no socket, starts no timer. */
export const loadConfiguration = async (
  source: CorefileSource,
  world: World,
): Promise<Result<Configuration, readonly CorefileProblem[]>> => {
  const parsed = readSource(source, world.variables)
  if (!parsed.ok) return refused([parsed.problem])
  const directives = parsed.value.corefile.blocks.flatMap(block => block.directives)
  const modules = await loadPlugins(directives.map(({ name }) => name.text))
  return setUp({ source, read: parsed.value, modules }, world)
}

/** The same with plugins that are loaded already: all that the Corefile may name. */
export const configurationOf = (
  source: CorefileSource,
  world: World,
  modules: PluginModules,
): Result<Configuration, readonly CorefileProblem[]> => {
  const parsed = readSource(source, world.variables)
  return parsed.ok ? setUp({ source, read: parsed.value, modules }, world) : refused([parsed.problem])
}

interface Loaded {
  readonly source: CorefileSource
  readonly read: ReadCorefile
  readonly modules: PluginModules
}

const setUp = ({ source, read, modules }: Loaded, world: World): Result<Configuration, readonly CorefileProblem[]> => {
  const { corefile, folder } = read
  const { board = new ChangeBoard() } = world
  const overrides = readListenerOverrides(world.overrides)
  if (!overrides.ok) return refused([{ position: startOf(source), message: overrides.problem }])
  if (corefile.blocks.length === 0)
    return refused([{ position: startOf(source), message: 'no server block (like ".:53 { … }")' }])
  const problems: CorefileProblem[] = []
  const planned = planBlocks(corefile.blocks, overrides.value, problems)
  let configuration: Configuration | undefined
  const environment: Environment = {
    ...world,
    board,
    folder,
    resolveInternally: query => {
      assert(configuration, 'a plugin asked before the configuration stood')
      return configuration.ask(query)
    },
    plugins: () => configuration?.plugins ?? [],
    requestReload: world.requestReload ?? (() => {}),
    readCorefile: async () => {
      const again = readSource(source, world.variables)
      return again.ok ? again.value.text : formatUnreadable(again.problem)
    },
  }
  const blocks = planned.map(block => buildBlock(block, modules, environment, problems))
  if (problems.length > 0) return refused(distinct(problems))
  configuration = new Configuration(blocks, read.text, world, board)
  return accepted(configuration)
}

/** Blocks and plugins may have found the same. */
const distinct = (problems: readonly CorefileProblem[]): readonly CorefileProblem[] => [
  ...new Map(problems.map(problem => [formatProblem(problem), problem])).values(),
]

interface ReadCorefile {
  readonly corefile: Corefile
  readonly folder: string
  /** With all imports. */
  readonly text: string
}

const startOf = (source: CorefileSource) => ({ file: 'file' in source ? source.file : source.name, line: 1 })

/** Differs from every text that reads well, so that a reload is tried and says what is wrong. */
const formatUnreadable = ({ position, message }: CorefileProblem): string =>
  `unreadable ${position.file}:${position.line} ${message}`

const readSource = (source: CorefileSource, variables: World['variables']): Result<ReadCorefile, CorefileProblem> => {
  const texts: string[] = []
  const folder = 'file' in source ? dirname(source.file) : source.folder
  const { file } = startOf(source)
  let text: string
  try {
    text = 'file' in source ? readFileSync(source.file, 'utf8') : source.text
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return refused({ position: { file, line: 1 }, message: `cannot be read: ${reason}` })
  }
  const parsed = parseCorefile(text, { file, folder, variables, onFile: (_, read) => void texts.push(read) })
  return parsed.ok ? accepted({ corefile: parsed.value, folder, text: texts.join('\n') }) : parsed
}

const buildBlock = (
  block: PlannedBlock,
  modules: PluginModules,
  environment: Environment,
  problems: CorefileProblem[],
): BuiltBlock => {
  const instances: Instance[] = []
  const context = { ...block, plugins: () => instances.map(({ plugin }) => plugin) }
  const seen = new Map<string, Word>()
  const blockEnvironment = { ...environment, folder: folderOf(block, modules, environment.folder) }
  for (const directive of block.directives) {
    const found = findModule(directive.name, modules)
    if (!found.ok) {
      problems.push(found.problem)
      continue
    }
    const before = seen.get(directive.name.text)
    seen.set(directive.name.text, directive.name)
    if (before && !found.value.repeatable) {
      const { text, position } = directive.name
      const where = `${before.position.file}:${before.position.line}`
      problems.push({ position, message: `"${text}" stands in this server block already (${where})` })
      continue
    }
    const set = found.value.setup(directive, context, blockEnvironment)
    if (set.ok) instances.push({ plugin: set.value, directive, block })
    else problems.push(set.problem, ...(set.problem.further ?? []))
  }
  // A stable sort: several directives of one name run in the order of the file.
  instances.sort((left, right) => rankOf(left.directive) - rankOf(right.directive))
  return { block, instances }
}

/** Where relative paths of the block start from. */
const folderOf = ({ directives }: PlannedBlock, modules: PluginModules, folder: string): string =>
  directives.reduce((from, directive) => modules.get(directive.name.text)?.folder?.(directive, from) ?? from, folder)

const rankOf = (directive: Directive): number => pluginOrder.indexOf(directive.name.text)

const findModule = ({ text, position }: Word, modules: PluginModules): Result<PluginModule, CorefileProblem> => {
  const module = modules.get(text)
  if (module) return accepted(module)
  if (pluginOrder.includes(text))
    return refused({
      position,
      message: `"${text}" is a plugin of CoreDNS that Seamark does not have yet${relativeOf(text)}`,
    })
  const hint = relativeOf(text) || suggestion(text, pluginNames)
  return refused({ position, message: `unknown directive "${text}"${hint}` })
}

/** Blocks share a listener's certificates and patience: one that has none (`tls` stands in another) takes theirs. */
const distinctListeners = (blocks: readonly BuiltBlock[]): DnsListener[] => {
  const listeners = new Map<string, DnsListener>()
  for (const { block, instances } of blocks) {
    const identity = instances.find(({ plugin }) => plugin.identity)?.plugin.identity
    const timeouts = timeoutsOf(instances)
    for (const { listener } of block.served) {
      const { scheme = 'dns', server } = listener
      listeners.set(server, {
        ...listener,
        ...(timeouts && { timeouts }),
        ...(scheme !== 'dns' && identity && { identity }),
        ...listeners.get(server),
      })
    }
  }
  return [...listeners.values()]
}

/** `timeouts` and `https` have a part each. */
const timeoutsOf = (instances: readonly Instance[]): ListenerTimeouts | undefined => {
  const parts = instances.flatMap(({ plugin }) => plugin.timeouts ?? [])
  return parts.length > 0 ? Object.assign({}, ...parts) : undefined
}

/** Blocks that name the same endpoint (`ready` in each) share it: the first one's reply stands for all. */
const distinctEndpoints = (plugins: readonly Plugin[]): HttpEndpoint[] => {
  const endpoints = new Map<string, HttpEndpoint>()
  for (const endpoint of plugins.flatMap(plugin => plugin.endpoints ?? [])) {
    const mark = `${formatAddress(endpoint.address)} ${endpoint.path}`
    if (!endpoints.has(mark)) endpoints.set(mark, endpoint)
  }
  return [...endpoints.values()]
}
