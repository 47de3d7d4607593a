/** `seamark control-plane`: apiserver and controllers in one process, as `seamark up` runs them. */
import { Command } from 'commander'
import { systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import { createLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { withApiserverOptions } from './apiserver.ts'
import type { ApiserverFlags, ApiserverProgramEnvironment } from './apiserver-program.ts'
import type { LogFlags } from './common-options.ts'
import { ensureDataDir } from './data-dir.ts'
import { kubeconfigAccess } from './kubeconfig-access.ts'
import { runProgram } from './run-program.ts'

/** The controllers, made once the apiserver has written their kubeconfig. */
const controllersOf = (dataDir: string, { logger, registry }: ApiserverProgramEnvironment): Component => {
  let controllers: Component | undefined
  return {
    name: 'controllers',
    async start(signal) {
      const { createControllers } = await import('#cluster/controllers/controllers.ts')
      const access = await kubeconfigAccess(ensureDataDir(dataDir).kubeconfig('controller-manager'))
      controllers = createControllers(
        { access },
        { clock: systemClock, random: systemRandom, logger: logger.child({ room: 'controllers' }), registry },
      )
      await controllers.start(signal)
    },
    async close() {
      await controllers?.close()
    },
  }
}

const controlPlane = async (flags: ApiserverFlags & LogFlags): Promise<void> => {
  const { ApiserverProgram } = await import('./apiserver-program.ts')
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  const environment = { logger, registry: createRegistry() }
  const apiserver = new ApiserverProgram(flags, environment)
  await runProgram({
    logger,
    components: [apiserver, controllersOf(flags.dataDir, environment)],
    addresses: () => ({ apiserver: apiserver.address }),
  })
}

export const controlPlaneCommand = (): Command =>
  withApiserverOptions(
    new Command('control-plane').description('serve the Kubernetes API and run the controllers, in one process'),
  ).action(controlPlane)
