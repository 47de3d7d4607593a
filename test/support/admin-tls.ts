/** What a TLS client needs to be the admin, out of DATA/admin.kubeconfig. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const decode = (text: string): string => Buffer.from(text, 'base64').toString()

/** PEM. */
export const readAdmin = (kubeconfig: string): { readonly ca: string; readonly cert: string; readonly key: string } => {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'))
  return {
    ca: decode(clusters[0].cluster['certificate-authority-data']),
    cert: decode(users[0].user['client-certificate-data']),
    key: decode(users[0].user['client-key-data']),
  }
}
