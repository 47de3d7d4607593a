import { Command } from 'commander'
import { apiserverCommand } from './apiserver.ts'
import { checkCommand } from './check.ts'
import { controlPlaneCommand } from './control-plane.ts'
import { convertCommand } from './convert.ts'
import { dnsCommand } from './dns.ts'
import { explainCommand } from './explain.ts'
import { packageVersion } from './package-root.ts'
import { resolvConfCommand } from './resolvconf.ts'
import { shellCommand } from './shell/command.ts'
import { showCommand } from './show.ts'
import { upCommand } from './up/command.ts'

/** The whole command line: one subcommand a part. */
export const createProgram = (): Command =>
  new Command('seamark')
    .description('Cluster DNS and service discovery for Kubernetes, with the cluster stack that it serves')
    .version(packageVersion, '-V, --version')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .addCommand(upCommand())
    .addCommand(shellCommand())
    .addCommand(explainCommand())
    .addCommand(showCommand())
    .addCommand(resolvConfCommand())
    .addCommand(checkCommand())
    .addCommand(convertCommand())
    .addCommand(dnsCommand())
    .addCommand(apiserverCommand())
    .addCommand(controlPlaneCommand())
