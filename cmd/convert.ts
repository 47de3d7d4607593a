/** `seamark convert`: prints the Corefile that does what another server's configuration did. */
import { Command } from 'commander'
import { SeamarkError } from '#lib/errors.ts'
import { CLUSTER_DOMAIN } from './common-options.ts'
import { readManifest } from './read-manifest.ts'

interface ConvertFlags {
  readonly kubeDnsConfig: string
  readonly clusterDomain: string
}

/** `data` of a ConfigMap manifest (YAML or JSON). @throws SeamarkError BAD_OPTION */
const readConfigMap = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
  const manifest = (await readManifest(path)) as { kind?: unknown; data?: unknown } | null
  if (manifest?.kind !== 'ConfigMap')
    throw new SeamarkError('BAD_OPTION', `${path}: kind is ${manifest?.kind ?? 'missing'}, not ConfigMap`)
  const { data } = manifest
  if (data === undefined || data === null) return {}
  if (typeof data !== 'object' || Array.isArray(data))
    throw new SeamarkError('BAD_OPTION', `${path}: data is not an object`)
  return data as Readonly<Record<string, unknown>>
}

const convert = async ({ kubeDnsConfig: path, clusterDomain }: ConvertFlags): Promise<void> => {
  const { kubeDnsCorefile, readKubeDnsConfig } = await import('#resolver/corefile/kube-dns-config.ts')
  const read = readKubeDnsConfig(await readConfigMap(path), { clusterDomain })
  if (!read.ok)
    throw new SeamarkError('BAD_OPTION', read.problem.map(problem => `${path}: ${problem}`).join('\n         '))
  process.stdout.write(kubeDnsCorefile(read.value, { clusterDomain }))
}

export const convertCommand = (): Command =>
  new Command('convert')
    .description('print a Corefile that does what the settings of kube-dns did')
    .requiredOption('--kube-dns-config <file>', 'manifest of the ConfigMap kube-dns (- for standard input)')
    .option('--cluster-domain <domain>', 'the domain of the cluster', CLUSTER_DOMAIN)
    .addHelpText(
      'after',
      '\nExample:\n  kubectl -n kube-system get configmap kube-dns -o yaml | seamark convert --kube-dns-config -',
    )
    .action(convert)
