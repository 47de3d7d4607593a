/**
 * A kubeconfig of the operator's that is about webhooks: clusters are webhooks, users are how this apiserver shows who it
 * is (client-go's tools/clientcmd/api).
 *
 * Promised: nothing that a user has is passed over, for a webhook would be asked as somebody else, or as nobody.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { isObject } from '#cluster/api/own-property.ts'
import { yamlValue } from '#lib/yaml-value.ts'

/** How the apiserver shows who it is. */
export interface Credentials {
  /** The file and the user: equal for the same credentials. */
  readonly id: string
  /** PEM; with its key. */
  readonly certificate: string | undefined
  /** PEM. */
  readonly key: string | undefined
  /** Value of the header Authorization, as it is now: the file of a token changes. Throws when that cannot be read. */
  readonly authorization: (() => string) | undefined
}

/** What stands under a name, and where in the file. */
export class KubeconfigEntry {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #folder: string
  readonly place: string

  constructor(fields: Readonly<Record<string, unknown>>, place: string, folder: string) {
    this.#fields = fields
    this.#folder = folder
    this.place = place
  }

  /** Where a field of it stands in the file. */
  at(name: string): string {
    return this.place === '' ? name : `${this.place}.${name}`
  }

  /** @throws Error for a field that is none of these */
  allow(known: readonly string[]): void {
    const unknown = Object.keys(this.#fields).find(name => !known.includes(name))
    if (unknown !== undefined) throw new Error(`${this.at(unknown)}: is not known here; there are ${known.join(', ')}`)
  }

  /** Undefined: it is not said. @throws Error when it is no text */
  text(name: string): string | undefined {
    const value = this.#fields[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw new Error(`${this.at(name)}: must be a text`)
    return value
  }

  /** @throws Error when it is neither true nor false */
  flag(name: string): boolean {
    const value = this.#fields[name] ?? false
    if (typeof value !== 'boolean') throw new Error(`${this.at(name)}: must be true or false`)
    return value
  }

  /** Absolute. Undefined: none is named. */
  path(name: string): string | undefined {
    const path = this.text(name)
    return path === undefined ? undefined : resolve(this.#folder, path)
  }

  /** What stands in the file that it names. @throws Error when that cannot be read */
  content(name: string): string | undefined {
    const path = this.path(name)
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new Error(`${this.at(name)}: ${(cause as Error).message}`, { cause })
    }
  }

  /** What stands in the file itself under `NAME-data`, or in one that it names. */
  pem(name: string): string | undefined {
    const data = this.text(`${name}-data`)
    return data === undefined ? this.content(name) : Buffer.from(data, 'base64').toString()
  }

  /** PEM of certificates. @throws Error when the first is none: TLS would take it for no authority, and trust nobody */
  authority(name: string): string | undefined {
    const pem = this.pem(name)
    if (pem === undefined) return undefined
    try {
      new X509Certificate(pem)
    } catch (cause) {
      throw new Error(`${this.at(name)}: is no certificate in PEM`, { cause })
    }
    return pem
  }
}

const USER = [
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'token',
  'tokenFile',
  'username',
  'password',
]

const BEARER = /^[\x21-\x7e]+$/

const authorizationOf = (user: KubeconfigEntry): Credentials['authorization'] => {
  const [token, path] = [user.text('token'), user.path('tokenFile')]
  const [username, password] = [user.text('username'), user.text('password')]
  if (username !== undefined || password !== undefined) {
    if (token !== undefined || path !== undefined)
      throw new Error(`${user.place}: a token and a password cannot both be shown`)
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    return () => `Basic ${basic}`
  }
  const bearer = (text: string, name: string): string => {
    if (!BEARER.test(text)) throw new Error(`${user.at(name)}: is no token`)
    return `Bearer ${text}`
  }
  if (path !== undefined) return () => bearer(user.content('tokenFile')?.trim() ?? '', 'tokenFile')
  if (token === undefined) return undefined
  const header = bearer(token, 'token')
  return () => header
}

/** PEM of both, or of neither. @throws Error when TLS would not take them */
const keyPairOf = (user: KubeconfigEntry): Pick<Credentials, 'certificate' | 'key'> => {
  const [certificate, key] = [user.pem('client-certificate'), user.pem('client-key')]
  if ((certificate === undefined) !== (key === undefined))
    throw new Error(`${user.place}: a client-certificate and its client-key go together`)
  if (certificate === undefined || key === undefined) return { certificate, key }
  try {
    createSecureContext({ cert: certificate, key })
  } catch (cause) {
    const why = `are no certificate and its key in PEM: ${(cause as Error).message}`
    throw new Error(`${user.place}: client-certificate and client-key ${why}`, { cause })
  }
  return { certificate, key }
}

/** The parser shows the line that it stumbles on, which may be a secret: what it says of it will do. */
const rootOf = (text: string): unknown => {
  try {
    return yamlValue(text)
  } catch (cause) {
    const [what] = (cause as Error).message.split('\n')
    throw new Error(what, { cause })
  }
}

/** The one of them that a field names; undefined: it names none. @throws Error when there is no such one */
const namedBy = (
  entries: ReadonlyMap<string, KubeconfigEntry>,
  entry: KubeconfigEntry | undefined,
  field: string,
): string | undefined => {
  const name = entry?.text(field)
  if (entry === undefined || name === undefined || entries.has(name)) return name
  const known = [...entries.keys()].join(', ') || 'none'
  throw new Error(`${entry.at(field)}: there is no ${JSON.stringify(name)} (there are: ${known})`)
}

/** The kubeconfig at a path. */
export class Kubeconfig {
  readonly #path: string
  readonly users: ReadonlyMap<string, KubeconfigEntry>
  /** Of the current context; without one the first that there is. */
  readonly cluster: KubeconfigEntry | undefined
  /** Name of the current context's. */
  readonly user: string | undefined

  /** @throws Error for whatever is wrong with it */
  constructor(path: string) {
    const root = rootOf(readFileSync(path, 'utf8'))
    if (!isObject(root)) throw new Error('must be a kubeconfig')
    this.#path = path
    const file = new KubeconfigEntry(root, '', dirname(path))
    const clusters = this.#entries(root, 'clusters', 'cluster')
    const contexts = this.#entries(root, 'contexts', 'context')
    const context = contexts.get(namedBy(contexts, file, 'current-context') ?? '')
    this.users = this.#entries(root, 'users', 'user')
    this.user = namedBy(this.users, context, 'user')
    const [first] = clusters.values()
    this.cluster = clusters.get(namedBy(clusters, context, 'cluster') ?? '') ?? first
  }

  /** @throws Error for whatever is wrong with them */
  credentials(name: string): Credentials | undefined {
    const user = this.users.get(name)
    if (!user) return undefined
    user.allow(USER)
    const authorization = authorizationOf(user)
    // What cannot be read is told at the start.
    authorization?.()
    return { id: `${this.#path}\0${name}`, ...keyPairOf(user), authorization }
  }

  #entries(root: Readonly<Record<string, unknown>>, list: string, key: string): Map<string, KubeconfigEntry> {
    const items = root[list] ?? []
    if (!Array.isArray(items)) throw new Error(`${list}: must be a list`)
    const entries = new Map<string, KubeconfigEntry>()
    for (const [index, item] of items.entries()) {
      const name: unknown = isObject(item) ? item.name : undefined
      if (typeof name !== 'string' || name === '') throw new Error(`${list}[${index}].name: must be a text`)
      const fields: unknown = item[key] ?? {}
      const place = `${list}[${index}].${key}`
      if (!isObject(fields)) throw new Error(`${place}: must be an object`)
      if (entries.has(name))
        throw new Error(`${list}[${index}].name: ${JSON.stringify(name)} stands twice in this list`)
      entries.set(name, new KubeconfigEntry(fields, place, dirname(this.#path)))
    }
    return entries
  }
}
