import type { Clock } from '#lib/clock.ts'
import { RereadFile } from '../reread-file.ts'
import type { Field } from './field.ts'

export interface ParsedCluster {
  readonly server: URL
  readonly insecure: boolean
  readonly serverName: string | undefined
  authority(): Promise<string | undefined>
  /** The extension that exec plugins are told (`client.authentication.k8s.io/exec`). */
  readonly execConfig: unknown
}

export const readCluster = (cluster: Field, clock: Clock): ParsedCluster => {
  const insecure = cluster.child('insecure-skip-tls-verify').flag()
  const data = cluster.child('certificate-authority-data').pem()
  const path = cluster.child('certificate-authority').filePath()
  if (insecure && (data !== '' || path !== '')) {
    throw cluster.child('insecure-skip-tls-verify').problem('cannot stand beside a certificate authority')
  }
  const proxy = cluster.child('proxy-url')
  if (proxy.text() !== '') throw proxy.problem('proxies are not supported; name the apiserver itself')
  // As kubectl: data beats the file.
  const file = data === '' && path !== '' ? new RereadFile(path, clock) : undefined
  return {
    server: readServer(cluster.child('server')),
    insecure,
    serverName: cluster.child('tls-server-name').text() || undefined,
    authority: async () => (file ? file.read() : data || undefined),
    execConfig: execConfig(cluster),
  }
}

const readServer = (field: Field): URL => {
  const text = field.text()
  if (text === '') throw field.problem('is missing')
  // As kubectl: an address without a scheme is plain http.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') {
    throw field.problem(`"${text}" is not the URL of a server (https://HOST:PORT)`)
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '') {
    throw field.problem(`"${text}" must have no user, query or fragment`)
  }
  return url
}

const execConfig = (cluster: Field): unknown =>
  cluster
    .child('extensions')
    .list()
    .find(extension => extension.child('name').text() === 'client.authentication.k8s.io/exec')
    ?.child('extension').value
