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
  const [dnsHost, dnsPort] = splitAddress(addresses.dns ?? '')
  const command = existsSync(join(packageRoot, 'cmd', 'main.ts'))
    ? shellWord(near(join(packageRoot, 'bin', 'seamark')))
    : 'seamark'
  const dataFlag = near(dataDir.folder) === '.seamark' ? '' : ` --data-dir ${shellWord(near(dataDir.folder))}`
  return `
Seamark is up (${duration.toFixed(1)} s).

  Kubernetes API   https://${addresses.apiserver}
  DNS              ${addresses.dns} (UDP and TCP)
  metrics          http://${addresses.metrics}/metrics
  health, ready    http://${addresses.health}/health  http://${addresses.ready}/ready
  logs             ${near(dataDir.log('control-plane'))}  ${near(dataDir.log('dns'))}

Use it:

  export KUBECONFIG=${shellWord(dataDir.adminKubeconfig)}
  kubectl get services -A
  dig @${dnsHost} -p ${dnsPort} kubernetes.default.svc.${CLUSTER_DOMAIN}

See the world as a pod does (as root):

  ${command} shell${dataFlag} -- dig @10.96.0.10 kubernetes.default.svc.${CLUSTER_DOMAIN}

Ctrl-C stops everything; the next start continues with what is there.
`
}

const splitAddress = (address: string): [string, string] => {
  const at = address.lastIndexOf(':')
  return [address.slice(0, at).replace(/^\[|\]$/g, ''), address.slice(at + 1)]
}
