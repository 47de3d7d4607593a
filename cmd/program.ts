import { Command } from 'commander'
import { packageVersion } from './package-root.ts'

/** In the order of the help. */
const subcommands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./up/command.ts')).upCommand(),
  shell: async () => (await import('./shell/command.ts')).shellCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  show: async () => (await import('./show.ts')).showCommand(),
  resolvconf: async () => (await import('./resolvconf.ts')).resolvConfCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  convert: async () => (await import('./convert.ts')).convertCommand(),
  dns: async () => (await import('./dns.ts')).dnsCommand(),
  apiserver: async () => (await import('./apiserver.ts')).apiserverCommand(),
  'control-plane': async () => (await import('./control-plane.ts')).controlPlaneCommand(),
}

/** What was typed wrong is told as every other error is: by whom, and where to look. */
const tellLikeOthers = (command: Command, help: string): void => {
  command.showHelpAfterError(`  See ${help} --help.`)
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'seamark:')) })
}

/** The command line: with the one subcommand that is asked for where that is one, else whole, for help and advice. */
export const createProgram = async (asked = ''): Promise<Command> => {
  const program = new Command('seamark')
    .description('Cluster DNS and service discovery for Kubernetes, with the cluster stack that it serves')
    .version(packageVersion, '-V, --version')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
  const known = Object.hasOwn(subcommands, asked) ? [subcommands[asked]!] : Object.values(subcommands)
  for (const load of known) program.addCommand(await load())
  tellLikeOthers(program, 'seamark')
  for (const command of program.commands) tellLikeOthers(command, `seamark ${command.name()}`)
  return program
}
