/** `seamark control-plane`: apiserver and controllers in one process, as `seamark up` runs them. */
import { Command } from 'commander'
import type { CertificateSigner } from '#cluster/pki/certificate-request.ts'
import type { Pki } from '#cluster/pki/pki.ts'
import { systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import { createLogger, type Logger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { withApiserverOptions } from './apiserver.ts'
import type { ApiserverFlags, ApiserverProgram, ApiserverProgramEnvironment } from './apiserver-program.ts'
import type { LogFlags } from './common-options.ts'
import { ensureDataDir } from './data-dir.ts'
import { kubeconfigAccess } from './kubeconfig-access.ts'
import { runProgram } from './run-program.ts'

/** Reads the cluster's CA, which the apiserver has made, when the first certificate is to be signed. */
const signerOf = (directory: string, logger: Logger): CertificateSigner => {
  let pki: Promise<Pki> | undefined
  return {
    async sign(request) {
      const { ensurePki } = await import('#cluster/pki/pki.ts')
      pki ??= ensurePki({ directory, clock: systemClock, logger })
      return (await pki).sign(request)
    },
  }
}

/** The controllers, made once the apiserver has written their kubeconfig. */
const controllersOf = (
  apiserver: ApiserverProgram,
  dataDir: string,
  { logger, registry }: ApiserverProgramEnvironment,
): Component => {
  let controllers: Component | undefined
  return {
    name: 'controllers',
    async start(signal) {
      const { createControllers } = await import('#cluster/controllers/controllers.ts')
      const { folder, kubeconfig } = ensureDataDir(dataDir)
      const { metadata } = apiserver
      const access = await kubeconfigAccess(kubeconfig('controller-manager'))
      controllers = createControllers(
        { access, signer: signerOf(folder, logger), ...(metadata ? { metadata } : {}) },
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
    components: [apiserver, controllersOf(apiserver, flags.dataDir, environment)],
    addresses: () => ({ apiserver: apiserver.address }),
  })
}

export const controlPlaneCommand = (): Command =>
  withApiserverOptions(
    new Command('control-plane').description('serve the Kubernetes API and run the controllers, in one process'),
  ).action(controlPlane)
