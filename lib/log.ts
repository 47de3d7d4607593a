/**
 * The one way to log: constant text, data in fields. Each room gets a child logger (`logger.child({ room: 'store' })`)
 * and never makes its own. Nothing that runs once per packet logs, except the log plugin.
 */
import { createRequire } from 'node:module'
import { type Logger, pino } from 'pino'
import type { PinoPretty } from 'pino-pretty'
import type { LogFormat, LogLevel } from './log-options.ts'
import { sourceStack } from './source-stack.ts'

export type { Logger }

export interface LogOptions {
  readonly level: LogLevel
  /** `text`: one coloured line for people. `json`: one JSON object a line for collectors. */
  readonly format: LogFormat
  /** File descriptor to write to. Default 2 (standard error). */
  readonly descriptor?: number
}

const serializeError = (error: Error) => {
  const serialized = pino.stdSerializers.err(error)
  return typeof serialized?.stack === 'string' ? { ...serialized, stack: sourceStack(serialized.stack) } : serialized
}

/** Writes synchronously: the last line before a crash is there. */
export const createLogger = ({ level, format, descriptor = 2 }: LogOptions): Logger => {
  const base = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // An Error has no own enumerable fields: without this, `{ error }` would say nothing.
    serializers: { error: serializeError },
  }
  if (format === 'json') return pino(base, pino.destination({ dest: descriptor, sync: true }))
  // Forty files that collectors do not need.
  const pretty: typeof PinoPretty = createRequire(import.meta.url)('pino-pretty')
  const stream = pretty({
    destination: descriptor,
    sync: true,
    colorize: Boolean(process.stderr.isTTY),
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    messageFormat: '{if room}{room}: {end}{msg}',
    ignore: 'room',
  })
  return pino(base, stream)
}

/** For tests and for libraries' callers who want none. */
export const silentLogger: Logger = pino({ level: 'silent' })
