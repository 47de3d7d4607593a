/** The pages that are derived from the code and from what the bench measured, as text by path. */
import type { Command } from 'commander'
import { createProgram } from '#cmd/program.ts'
import { ERROR_ADVICE } from '#lib/errors.ts'
import { performancePages } from '../../bench/report/pages.ts'
import { metricsPage } from './metrics.ts'

const GENERATED = '<!-- Derived from the code by `npm run docs`; edit the code. -->\n\n'

const errorsPage = (): string =>
  `${GENERATED}# Errors

Every failure that Seamark reports carries one of these codes, in brackets at the end. A code never changes its meaning.

| code | what to do |
|---|---|
${Object.entries(ERROR_ADVICE)
  .map(([code, advice]) => `| \`${code}\` | ${advice} |`)
  .join('\n')}
`

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

const defaultOf = (value: unknown): string => {
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return ''
  // The Corefile's default path is this machine's; the docs name it in the package.
  const text = String(value).replace(/^.*\/(configs\/)/, '$1')
  return `\`${text}\``
}

const commandSection = (command: Command): string => {
  const options = command.options.map(
    option =>
      `| \`${option.flags.replaceAll('|', '\\|')}\` | ${escapeCell(option.description)}${option.argChoices ? ` (${option.argChoices.join(', ')})` : ''} | ${defaultOf(option.defaultValue)} |`,
  )
  const usage = `seamark ${command.name()} ${command.usage()}`
  return `## seamark ${command.name()}

${command.description()}.

    ${usage}

| option | meaning | default |
|---|---|---|
${options.join('\n')}
`
}

const cliPage = async (): Promise<string> =>
  `${GENERATED}# Command line

Every command has \`--help\`. What went wrong is printed with what to do about it; [errors.md](errors.md) lists the codes.
\`seamark dns\` also takes CoreDNS's one-dash flags (\`-conf\`, \`-dns.port\`, \`-p\`, \`-quiet\`, \`-pidfile\`,
\`-plugins\`, \`-version\`).

${(await createProgram()).commands.map(commandSection).join('\n')}`

export const derivedPages = async (): Promise<Readonly<Record<string, string>>> => ({
  'docs/errors.md': errorsPage(),
  'docs/cli.md': await cliPage(),
  'docs/metrics.md': `${GENERATED}${metricsPage()}`,
  ...performancePages(),
})
