/**
 * A kubeconfig of the operator's that is about webhooks: clusters are webhooks, users are how this apiserver shows who it
 * is (client-go's tools/clientcmd/api).
 *
 * Promised: nothing that a user has is passed over, for a webhook would be asked as somebody else, or as nobody.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
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

  /** @throws Error for a field that is none of these */
  allow(known: readonly string[]): void {
    const unknown = Object.keys(this.#fields).find(name => !known.includes(name))
    if (unknown !== undefined)
      throw new Error(`${this.place}.${unknown}: is not known here; there are ${known.join(', ')}`)
  }

  /** Undefined: it is not said. @throws Error when it is no text */
  text(name: string): string | undefined {
    const value = this.#fields[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw new Error(`${this.place}.${name}: must be a text`)
    return value
  }

  /** @throws Error when it is neither true nor false */
  flag(name: string): boolean {
    const value = this.#fields[name] ?? false
    if (typeof value !== 'boolean') throw new Error(`${this.place}.${name}: must be true or false`)
    return value
  }

  /** Absolute. Undefined: none is named. */
  path(name: string): string | undefined {
    const path = this.text(name)
    return path === undefined ? undefined : resolve(this.#folder, path)
  }

  /** What stands in the file itself under `NAME-data`, or in one that it names. */
  pem(name: string): string | undefined {
    const data = this.text(`${name}-data`)
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    const path = this.path(name)
    return path === undefined ? undefined : readFileSync(path, 'utf8')
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
  const bearer = (text: string): string => {
    if (!BEARER.test(text)) throw new Error(`${user.place}: is no token`)
    return `Bearer ${text}`
  }
  if (path !== undefined) return () => bearer(readFileSync(path, 'utf8').trim())
  if (token === undefined) return undefined
  const header = bearer(token)
  return () => header
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

/** The kubeconfig at a path. */
export class Kubeconfig {
  readonly #path: string
  readonly clusters: ReadonlyMap<string, KubeconfigEntry>
  readonly users: ReadonlyMap<string, KubeconfigEntry>
  /** The current one. */
  readonly context: KubeconfigEntry | undefined

  /** @throws Error for whatever is wrong with it */
  constructor(path: string) {
    const root = rootOf(readFileSync(path, 'utf8'))
    if (!isObject(root)) throw new Error('must be a kubeconfig')
    this.#path = path
    const file = new KubeconfigEntry(root, '', dirname(path))
    this.clusters = this.#entries(root, 'clusters', 'cluster')
    this.users = this.#entries(root, 'users', 'user')
    this.context = this.#entries(root, 'contexts', 'context').get(file.text('current-context') ?? '')
  }

  /** @throws Error for whatever is wrong with them */
  credentials(name: string): Credentials | undefined {
    const user = this.users.get(name)
    if (!user) return undefined
    user.allow(USER)
    const [certificate, key] = [user.pem('client-certificate'), user.pem('client-key')]
    if ((certificate === undefined) !== (key === undefined))
      throw new Error(`${user.place}: a client-certificate and its client-key go together`)
    const authorization = authorizationOf(user)
    // What cannot be read is told at the start.
    authorization?.()
    return { id: `${this.#path}\0${name}`, certificate, key, authorization }
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
      if (!entries.has(name)) entries.set(name, new KubeconfigEntry(fields, place, dirname(this.#path)))
    }
    return entries
  }
}
