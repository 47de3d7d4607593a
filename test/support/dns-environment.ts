/** A world for configurations and plugins under test: time stands still, lines are kept. */

import { ChangeBoard } from '#lib/change-board.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { type Configuration, configurationOf, type World } from '#resolver/configuration.ts'
import { formatProblem } from '#resolver/corefile/syntax.ts'
import type { Responder } from '#resolver/listener.ts'
import { loadPlugins, pluginNames } from '#resolver/plugins/index.ts'
import type { Query, Transport } from '#resolver/query.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery, type OutgoingQuery } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { VirtualClock } from './virtual-clock.ts'

/** All of them, by directive. */
export const pluginModules = await loadPlugins(pluginNames)

export interface TestWorld extends World {
  readonly board: ChangeBoard
  readonly clock: VirtualClock
  /** What was printed. */
  readonly lines: string[]
}

export const testWorld = (changes: Partial<World> = {}): TestWorld => {
  const lines: string[] = []
  return {
    random: systemRandom,
    logger: silentLogger,
    registry: createRegistry(),
    version: '0.0.0-test',
    hostname: 'machine-1',
    localAddresses: () => ['192.0.2.53'],
    overrides: {},
    variables: {},
    print: line => void lines.push(line),
    ...changes,
    board: changes.board ?? new ChangeBoard(),
    clock: new VirtualClock(),
    lines,
  }
}

/** The configuration of a Corefile that must be right. */
export const configure = (text: string, world: World = testWorld(), folder = '/nowhere'): Configuration => {
  const loaded = configurationOf({ text, name: 'Corefile', folder }, world, pluginModules)
  if (!loaded.ok) throw new Error(loaded.problem.map(formatProblem).join('\n'))
  return loaded.value
}

/** The problems of a Corefile that must be wrong, as they are printed. */
export const problemsOf = (text: string, world: World = testWorld(), folder = '/nowhere'): string[] => {
  const loaded = configurationOf({ text, name: 'Corefile', folder }, world, pluginModules)
  return loaded.ok ? [] : loaded.problem.map(formatProblem)
}

export interface Ask extends Partial<OutgoingQuery> {
  readonly transport?: Transport
  readonly client?: string
  readonly server?: string
}

/** A question as plugins get it. */
export const makeQuery = (
  name: string,
  { transport = 'udp', client = '192.0.2.7', server = 'dns://:53', ...question }: Ask = {},
  received = 0,
): Query => {
  const context = { transport, client: { address: client, port: 40_000 }, local: { address: '192.0.2.53', port: 53 } }
  const decoded = decodeQuery(encodeQuestion(name, question), { ...context, server }, received)
  if (decoded.verdict !== 'query') throw new Error('not a query')
  return decoded.query
}

const encodeQuestion = (name: string, question: Partial<OutgoingQuery>): Buffer =>
  encodeQuery({ id: 4711, name, type: recordTypes.A, recursionDesired: true, edns: undefined, ...question })

/** Puts a question to a configuration as a client would; undefined: silence. */
export const ask = (
  configuration: Configuration,
  name: string,
  question: Ask = {},
): Promise<ResponseMessage | undefined> => askBy(configuration.responder, name, question)

export const askBy = async (
  respond: Responder,
  name: string,
  { transport = 'udp', client = '192.0.2.7', server = 'dns://:53', ...question }: Ask = {},
): Promise<ResponseMessage | undefined> => {
  const reply = await respond(encodeQuestion(name, question), {
    transport,
    client: { address: client, port: 40_000 },
    local: { address: '192.0.2.53', port: 53 },
    server,
  })
  if (!reply) return undefined
  const decoded = decodeResponse(reply)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}
