/** The frame of every program that stays: start, tell, wait to be told to stop, stop, end. */

import { systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import { type Component, Lifecycle } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import { reportError } from './exit.ts'
import { tellParent } from './parent.ts'

export interface Program {
  readonly logger: Logger
  /** In flow order. */
  readonly components: readonly Component[]
  /** What was bound, once all components started. */
  readonly addresses: () => Readonly<Record<string, string>>
  /** The longest time that one component may take to close. */
  readonly closeDeadline?: number
}

/** Ends the process when the program has stopped: 0 after a signal, 1 when it could not start. */
export const runProgram = async ({ logger, components, addresses, closeDeadline }: Program): Promise<void> => {
  const lifecycle = new Lifecycle(components, {
    clock: systemClock,
    logger,
    ...(closeDeadline === undefined ? {} : { closeDeadline }),
  })
  let stopping = false
  const stop = async (reason: string): Promise<void> => {
    if (stopping) {
      // A second Ctrl-C: somebody does not want to wait.
      if (reason === 'SIGINT') process.exit(130)
      return
    }
    stopping = true
    logger.info({ reason }, 'stopping')
    await lifecycle.close()
    logger.info('stopped')
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop('SIGTERM'))
  if (process.send) {
    // A part of `seamark up`. Ctrl-C at a terminal reaches every process of the group; the parent ends the parts in order.
    process.on('SIGINT', () => {})
    // The parent is gone (killed, crashed): its parts do not outlive it.
    process.on('disconnect', () => void stop('parent ended'))
  } else {
    process.on('SIGINT', () => void stop('SIGINT'))
  }
  process.on('uncaughtException', error => {
    logger.fatal({ error }, 'bug: uncaught exception')
    process.exit(70)
  })
  process.on('unhandledRejection', error => {
    logger.fatal({ error }, 'bug: unhandled rejection')
    process.exit(70)
  })

  try {
    await lifecycle.start()
  } catch (error) {
    if (stopping) return
    reportError(error)
    const code = error instanceof SeamarkError ? error.code : 'CHILD_FAILED'
    await tellParent({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) })
    process.exit(1)
  }
  if (stopping) return
  logger.info(addresses(), 'ready')
  await tellParent({ type: 'ready', addresses: addresses() })
}
