/** A Corefile made into a configuration, with what this process gives to its plugins. */
import { hostname } from 'node:os'
import type { ChangeBoard } from '#lib/change-board.ts'
import { systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import { memoryLimit } from '#lib/memory-limit.ts'
import type { Registry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import type { Result } from '#lib/result.ts'
import { type Configuration, loadConfiguration, type World } from '#resolver/configuration.ts'
import { type CorefileProblem, formatProblem } from '#resolver/corefile/syntax.ts'
import type { Datagrams } from '#resolver/upstream/datagrams.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import { localAddresses } from './local-addresses.ts'
import { packageVersion } from './package-root.ts'

export interface CorefileWorld {
  readonly logger: Logger
  readonly registry: Registry
  /** Told of what changes; absent: nobody keeps answers. */
  readonly board?: ChangeBoard
  readonly inputs?: InputLedger
  readonly cookies?: ServerCookies
  /** Flags that beat the Corefile; undefined where a flag was not given. */
  readonly overrides: Readonly<Record<string, string | undefined>>
  /** Where plugins may keep what makes the next start quicker. */
  readonly stateFolder?: string | undefined
  /** Resolves when what is known already is answered; absent: nobody is kept waiting. */
  readonly answering?: Promise<void>
  /** UDP to other servers; absent: by node:dgram. */
  readonly datagrams?: Datagrams | undefined
  /** Absent: nothing can be reloaded (a check). */
  readonly requestReload?: () => void
  /** Takes a line for standard output; absent: it is written at once. */
  readonly print?: World['print']
  /** Told of every reply. */
  readonly observer?: NonNullable<World['observer']>
}

/** The world of plugins as this process has it. */
const worldOf = ({
  logger,
  registry,
  board,
  inputs,
  cookies,
  overrides,
  stateFolder,
  answering,
  datagrams,
  requestReload,
  observer,
  print,
}: CorefileWorld): World => ({
  clock: systemClock,
  ...(board && { board }),
  ...(inputs && { inputs }),
  ...(cookies && { cookies }),
  random: systemRandom,
  logger,
  registry,
  version: packageVersion,
  hostname: hostname(),
  localAddresses,
  overrides,
  variables: process.env,
  memoryLimit: memoryLimit(),
  print: print ?? (line => void process.stdout.write(`${line}\n`)),
  ...(requestReload ? { requestReload } : {}),
  ...(stateFolder === undefined ? {} : { stateFolder }),
  ...(answering ? { answering } : {}),
  ...(datagrams ? { datagrams } : {}),
  ...(observer ? { observer } : {}),
})

/** Reads, parses and sets up; opens nothing. */
export const readCorefile = (
  file: string,
  world: CorefileWorld,
): Promise<Result<Configuration, readonly CorefileProblem[]>> => loadConfiguration({ file }, worldOf(world))

/** The error that names every problem, a line each. */
export const badCorefile = (problems: readonly CorefileProblem[]): SeamarkError =>
  new SeamarkError('BAD_COREFILE', problems.map(formatProblem).join('\n         '))
