import type { Clock } from '#lib/clock.ts'
import { clientCertificate, fixedPem, type PemSource } from '../credentials/client-certificate.ts'
import { type ExecOptions, execCredentials } from '../credentials/exec.ts'
import { basicCredentials, impersonation, tokenCredentials } from '../credentials/fixed-headers.ts'
import { tokenFileCredentials } from '../credentials/token-file.ts'
import { anonymous, type Credentials, combineCredentials } from '../credentials.ts'
import { RereadFile } from '../reread-file.ts'
import type { ParsedCluster } from './cluster.ts'
import type { Field } from './field.ts'

export interface UserSurroundings {
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cluster: ParsedCluster
}

/** The credentials of a kubeconfig's user; anonymous where there is no user. */
export const readUser = (user: Field | undefined, surroundings: UserSurroundings): Credentials => {
  if (!user) return anonymous
  const provider = user.child('auth-provider')
  if (provider.present) throw provider.problem('was removed from Kubernetes in 1.26: use exec')
  const ways = [
    readCertificate(user, surroundings.clock),
    readHeader(user, surroundings.clock),
    readExec(user.child('exec'), surroundings),
    readImpersonation(user),
  ]
  return combineCredentials(ways.filter(way => way !== undefined))
}

const readCertificate = (user: Field, clock: Clock): Credentials | undefined => {
  const certificate = readPem(user, 'client-certificate', clock)
  const key = readPem(user, 'client-key', clock)
  if (!certificate && !key) return undefined
  if (!certificate) throw user.child('client-certificate').problem('is missing beside client-key')
  if (!key) throw user.child('client-key').problem('is missing beside client-certificate')
  return clientCertificate(certificate, key)
}

/** As kubectl: data beats the file. */
const readPem = (user: Field, name: string, clock: Clock): PemSource | undefined => {
  const data = user.child(`${name}-data`).pem()
  if (data !== '') return fixedPem(data)
  const path = user.child(name).filePath()
  return path === '' ? undefined : new RereadFile(path, clock)
}

const readHeader = (user: Field, clock: Clock): Credentials | undefined => {
  const token = user.child('token').text()
  const tokenFile = user.child('tokenFile').filePath()
  const username = user.child('username').text()
  if (username !== '' && (token !== '' || tokenFile !== '')) {
    throw user.child('username').problem('cannot stand beside a token: both would be the Authorization header')
  }
  // As client-go: the file, which is kept fresh, beats the token.
  if (tokenFile !== '') return tokenFileCredentials(tokenFile, clock)
  if (token !== '') return tokenCredentials(token)
  return username === '' ? undefined : basicCredentials(username, user.child('password').text())
}

const readExec = (exec: Field, { clock, environment, cluster }: UserSurroundings): Credentials | undefined => {
  if (!exec.present) return undefined
  const apiVersion = readApiVersion(exec.child('apiVersion'))
  const command = exec.child('command').text()
  if (command === '') throw exec.child('command').problem('is missing')
  readInteractiveMode(exec.child('interactiveMode'), apiVersion)
  const added = exec.child('env').list()
  return execCredentials({
    apiVersion,
    // A name is looked up on the PATH; a path starts at the kubeconfig's folder.
    command: command.includes('/') ? exec.child('command').filePath() : command,
    args: exec
      .child('args')
      .list()
      .map(argument => argument.text()),
    environment: {
      ...environment,
      ...Object.fromEntries(added.map(entry => [entry.child('name').text(), entry.child('value').text()])),
    },
    installHint: exec.child('installHint').text(),
    ...(exec.child('provideClusterInfo').flag() && { cluster: () => clusterInfo(cluster) }),
    place: exec.place,
    clock,
  })
}

const readApiVersion = (field: Field): ExecOptions['apiVersion'] => {
  const apiVersion = field.text()
  if (apiVersion !== 'client.authentication.k8s.io/v1' && apiVersion !== 'client.authentication.k8s.io/v1beta1') {
    throw field.problem(`"${apiVersion}" is neither client.authentication.k8s.io/v1 nor …/v1beta1`)
  }
  return apiVersion
}

const readInteractiveMode = (field: Field, apiVersion: ExecOptions['apiVersion']): void => {
  const mode = field.text()
  if (mode === 'Always') throw field.problem('is Always, but a server has no terminal to offer')
  if (mode === 'Never' || mode === 'IfAvailable') return
  if (mode !== '') throw field.problem(`"${mode}" is none of Never, IfAvailable, Always`)
  if (apiVersion === 'client.authentication.k8s.io/v1') throw field.problem('is missing; v1 asks for it')
}

/** `Cluster` of client.authentication.k8s.io/v1. */
const clusterInfo = async (cluster: ParsedCluster): Promise<object> => {
  const authority = await cluster.authority()
  return {
    server: cluster.server.href.replace(/\/$/, ''),
    ...(cluster.serverName !== undefined && { 'tls-server-name': cluster.serverName }),
    ...(cluster.insecure && { 'insecure-skip-tls-verify': true }),
    ...(authority !== undefined && { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(cluster.execConfig !== undefined && { config: cluster.execConfig }),
  }
}

const readImpersonation = (user: Field): Credentials | undefined => {
  const name = user.child('as').text()
  const groups = user
    .child('as-groups')
    .list()
    .map(group => group.text())
  const uid = user.child('as-uid').text()
  const extra = user.child('as-user-extra').entries()
  if (name === '') {
    if (groups.length > 0 || uid !== '' || extra.length > 0) throw user.child('as').problem('is missing beside as-…')
    return undefined
  }
  return impersonation({
    user: name,
    uid,
    groups,
    extra: Object.fromEntries(extra.map(([key, values]) => [key, values.list().map(value => value.text())])),
  })
}
