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
  const [first] = file.clusters.values()
  const cluster = file.clusters.get(file.context?.text('cluster') ?? '') ?? first
  const server = cluster?.text('server')
  if (!cluster || !server?.startsWith('https://')) throw new Error('names no https:// server')
  cluster.allow(CLUSTER)
  const credentials = file.credentials(file.context?.text('user') ?? '')
  return new HttpsJson({
    url: server,
    ca: cluster.pem('certificate-authority'),
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
