/**
 * One part of the cluster as a process of its own, kept alive: started, watched, restarted with backoff when it dies,
 * ended on request. It shares the process group of `seamark up`, so that a Ctrl-C at the terminal reaches all.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { Backoff } from '#lib/backoff.ts'
import { type Milliseconds, systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import type { ParentMessage } from '../parent.ts'

/** The first restart comes at once for people, later ones leave a broken machine room. */
const RESTART_INITIAL: Milliseconds = 200
const RESTART_MAXIMUM: Milliseconds = 10_000
/** A part that served so long had a good start: its next failure is a new one. */
const GOOD_START: Milliseconds = 30_000
/** How long a part may take to stop before it is killed: lameduck and draining are over by then. */
const STOP_DEADLINE: Milliseconds = 9_000

export interface PartOptions {
  readonly name: string
  /** Arguments of `seamark`, given the addresses that the part bound before (empty the first time). */
  readonly args: (bound: Readonly<Record<string, string>>) => readonly string[]
  /** Of Node, beside those that this process has. */
  readonly nodeArgs?: readonly string[]
  /** Standard output and error of the part are appended here. */
  readonly logFile: string
  readonly logger: Logger
}

export class Part implements Component {
  readonly name: string
  readonly #options: PartOptions
  readonly #backoff = new Backoff({ initial: RESTART_INITIAL, maximum: RESTART_MAXIMUM, random: systemRandom })
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #closing = false
  #restarts = 0
  #addresses: Readonly<Record<string, string>> = {}

  constructor(options: PartOptions) {
    this.name = options.name
    this.#options = options
  }

  get addresses(): Readonly<Record<string, string>> {
    return this.#addresses
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when the part said that it is ready; a part that cannot start the first time is an error, not a loop. */
  async start(signal: AbortSignal): Promise<void> {
    // From here on an exit is no failure: a signal to the whole process group reaches a part before its `close`.
    signal.addEventListener('abort', () => (this.#closing = true), { once: true })
    await this.#launch()
  }

  #launch(): Promise<void> {
    const { args, nodeArgs = [], logFile, name } = this.#options
    const log = openSync(logFile, 'a', 0o600)
    const program = [...process.execArgv, ...nodeArgs, process.argv[1] as string]
    const child = spawn(process.execPath, [...program, ...args(this.#addresses)], {
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    this.#child = child
    const began = systemClock.monotonic()
    return new Promise((resolve, reject) => {
      let problem: SeamarkError | undefined
      let ready = false
      child.on('message', (message: ParentMessage) => {
        if (message.type === 'ready') {
          ready = true
          this.#addresses = message.addresses
          resolve()
        } else {
          const log = message.code === 'CHILD_FAILED' ? ` (log: ${logFile})` : ''
          problem = new SeamarkError(message.code, `${name}: ${message.message}${log}`)
        }
      })
      this.#exited = new Promise(exited => {
        const end = (detail: string): void => {
          exited()
          reject(problem ?? new SeamarkError('CHILD_FAILED', `${name} ${detail} before it was ready (log: ${logFile})`))
          if (ready && systemClock.monotonic() - began > GOOD_START) this.#backoff.reset()
          if (ready || this.#restarts > 0) this.#restart(detail)
        }
        child.once('error', error => end(`could not be started (${error.message})`))
        child.once('exit', (code, signal) => end(signal ? `was ended by ${signal}` : `ended with code ${code}`))
      })
    })
  }

  #restart(detail: string): void {
    if (this.#closing) return
    this.#restarts++
    const delay = this.#backoff.next()
    const { logger, name, logFile } = this.#options
    logger.warn({ part: name, detail, delay: Math.round(delay), logFile }, 'part died, starting it again')
    setTimeout(() => {
      if (this.#closing) return
      this.#launch().then(
        () => logger.warn({ part: name, restarts: this.#restarts }, 'part runs again'),
        () => {}, // Said by #restart, which the same exit called.
      )
    }, delay)
  }

  async close(): Promise<void> {
    this.#closing = true
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE)
    await this.#exited
    clearTimeout(late)
  }
}
