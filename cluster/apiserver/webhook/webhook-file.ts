/** The file that names a webhook: a kubeconfig whose cluster is the webhook, and whose user is this apiserver. */
import type { Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import { HttpsJson } from './https-json.ts'
import { Kubeconfig } from './kubeconfig.ts'

export interface WebhookFileOptions {
  readonly path: string
  /** The flag that names it, for errors. */
  readonly flag: string
  readonly timeout: Milliseconds
}

const CLUSTER = [
  'server',
  'tls-server-name',
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
]

const open = (path: string, timeout: Milliseconds): HttpsJson => {
  const file = new Kubeconfig(path)
  const { cluster } = file
  if (!cluster) throw new Error('clusters: there is none')
  cluster.allow(CLUSTER)
  const server = cluster.text('server')
  if (!server?.startsWith('https://') || !URL.canParse(server))
    throw new Error(`${cluster.at('server')}: names no https:// server`)
  const credentials = file.user === undefined ? undefined : file.credentials(file.user)
  return new HttpsJson({
    url: server,
    ca: cluster.authority('certificate-authority'),
    serverName: cluster.text('tls-server-name'),
    insecure: cluster.flag('insecure-skip-tls-verify'),
    credentials,
    timeout,
  })
}

/** @throws SeamarkError BAD_OPTION */
export const openWebhook = ({ path, flag, timeout }: WebhookFileOptions): HttpsJson => {
  try {
    return open(path, timeout)
  } catch (cause) {
    throw new SeamarkError('BAD_OPTION', `${flag}: ${path}: ${(cause as Error).message}`, { cause })
  }
}
