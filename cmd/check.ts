/** `seamark check`: says whether a Corefile is good, with file and line of all that is not. Starts nothing. */
import { Command } from 'commander'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { defaultCorefile } from './default-corefile.ts'

interface CheckFlags {
  readonly conf: string
}

const check = async ({ conf }: CheckFlags): Promise<void> => {
  const { badCorefile, readCorefile } = await import('./corefile.ts')
  const read = await readCorefile(conf, { logger: silentLogger, registry: createRegistry(), overrides: {} })
  if (!read.ok) throw badCorefile(read.problem)
  const configuration = read.value
  const blocks = configuration.listeners.map(listener => listener.server).join(' ')
  process.stdout.write(`${conf} is good: ${configuration.plugins.length} plugins, ${blocks}\n`)
}

export const checkCommand = (): Command =>
  new Command('check')
    .description('say whether a Corefile is good, without starting anything')
    .option('--conf <file>', 'the Corefile (also -conf)', defaultCorefile())
    .action(check)
