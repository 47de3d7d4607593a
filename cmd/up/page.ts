/** The short page that `seamark up` ends its start with: what runs where, and how to use it. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CLUSTER_DOMAIN } from '../common-options.ts'
import type { DataDir } from '../data-dir.ts'
import { packageRoot } from '../package-root.ts'

export interface PageInput {
  readonly dataDir: DataDir
  readonly addresses: Readonly<Record<string, string>>
  /** Seconds from start to ready. */
  readonly duration: number
  readonly cwd: string
}

/** A path as a shell reads it: quoted where it holds more than plain characters. */
const shellWord = (path: string): string => (/^[\w./:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)

export const upPage = ({ dataDir, addresses, duration, cwd }: PageInput): string => {
  const near = (path: string): string => {
    const short = relative(cwd, path)
    return short.startsWith('..') ? path : short
  }
  const command = existsSync(join(packageRoot, 'cmd', 'main.ts'))
    ? shellWord(near(join(packageRoot, 'bin', 'seamark')))
    : 'seamark'
  const dataFlag = near(dataDir.folder) === '.seamark' ? '' : ` --data-dir ${shellWord(near(dataDir.folder))}`
  return `
Seamark is up (${duration.toFixed(1)} s).

${table(addresses)}
  logs             ${near(dataDir.log('control-plane'))}  ${near(dataDir.log('dns'))}

Use it:

  export KUBECONFIG=${shellWord(dataDir.adminKubeconfig)}
  kubectl get services -A
${digLine(addresses.dns)}
Ask why a name does (not) resolve:

  ${command} explain${dataFlag} -n default kubernetes

See the world as a pod does (as root):

  ${command} shell${dataFlag} -- dig @10.96.0.10 kubernetes.default.svc.${CLUSTER_DOMAIN}

Ctrl-C stops everything; the next start continues with what is there.
`
}

type Addresses = PageInput['addresses']

/** What runs where. A Corefile without a plugin (prometheus, say) opens nothing for it, and nothing is shown. */
const table = (addresses: Addresses): string => {
  const page = (name: string) => (addresses[name] === undefined ? [] : [`http://${addresses[name]}/${name}`])
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Kubernetes API', addresses.apiserver === undefined ? [] : [`https://${addresses.apiserver}`]],
    ['DNS', addresses.dns === undefined ? [] : [`${addresses.dns} (UDP and TCP)`]],
    ['DNS over TLS', addresses.tls === undefined ? [] : [addresses.tls]],
    ['DNS over HTTPS', addresses.https === undefined ? [] : [addresses.https]],
    ['metrics', page('metrics')],
    ['health, ready', [...page('health'), ...page('ready')]],
    ['what DNS does', addresses.admin === undefined ? [] : [`http://${addresses.admin}`]],
  ]
  return rows
    .filter(([, values]) => values.length > 0)
    .map(([label, values]) => `  ${label.padEnd(16)} ${values.join('  ')}`)
    .join('\n')
}

const digLine = (dns: string | undefined): string => {
  if (dns === undefined) return ''
  const [host, port] = splitAddress(dns)
  return `  dig @${host} -p ${port} kubernetes.default.svc.${CLUSTER_DOMAIN}\n`
}

const splitAddress = (address: string): [string, string] => {
  const at = address.lastIndexOf(':')
  return [address.slice(0, at).replace(/^\[|\]$/g, ''), address.slice(at + 1)]
}
