/** What the server is given by the program around it. */
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import type { ServerOptions } from './options.ts'
import type { EarlyThreads } from './udp/early-threads.ts'

/** What threads share with the rest of the program, so that they may answer by themselves. */
export interface SharedState {
  readonly board: ChangeBoard
  readonly inputs: InputLedger
  readonly cookies: ServerCookies
}

export interface ServerEnvironment {
  readonly clock: Clock
  /** Absent: UDP is served by node:dgram. */
  readonly shared?: SharedState
  /** Threads of UDP workers that were started already. */
  readonly early?: EarlyThreads
  /** Bytes that the container gives to the program; absent: what the machine has. */
  readonly memoryLimit?: number | undefined
  readonly logger: Logger
  readonly registry: Registry
  readonly options: ServerOptions
  /**
   * The flag that sets an address, for messages: `undefined` for DNS, else the path of the HTTP page. Default
   * `--dns-address`, `--metrics-address` …
   */
  readonly flagOf?: (path: string | undefined) => string
}
