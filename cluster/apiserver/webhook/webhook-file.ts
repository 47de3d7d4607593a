/** The file that names a webhook: a kubeconfig whose cluster is the webhook, and whose user is this apiserver. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import { HttpsJson } from './https-json.ts'

type Entry = Readonly<Record<string, string | undefined>>

interface File {
  readonly 'current-context'?: string
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Entry }[]
  readonly users?: readonly { readonly name: string; readonly user?: Entry }[]
  readonly contexts?: readonly { readonly name: string; readonly context?: Entry }[]
}

export interface WebhookFileOptions {
  readonly path: string
  /** Of the option, for its error. */
  readonly option: string
  readonly timeout: Milliseconds
}

/** Data that stands in the file itself, or in one that it names, beside it. */
const pemOf = (entry: Entry, name: string, folder: string): string | undefined => {
  const data = entry[`${name}-data`]
  if (data) return Buffer.from(data, 'base64').toString()
  const file = entry[name]
  return file ? readFileSync(resolve(folder, file), 'utf8') : undefined
}

/** @throws SeamarkError BAD_OPTION */
export const openWebhook = ({ path, option, timeout }: WebhookFileOptions): HttpsJson => {
  try {
    const file = parse(readFileSync(path, 'utf8')) as File
    const context = file.contexts?.find(({ name }) => name === file['current-context'])?.context ?? {}
    const cluster = file.clusters?.find(({ name }) => name === context.cluster)?.cluster ?? file.clusters?.[0]?.cluster
    const user = file.users?.find(({ name }) => name === context.user)?.user ?? {}
    if (!cluster?.server?.startsWith('https://')) throw new Error('names no https:// server')
    const folder = dirname(path)
    return new HttpsJson({
      url: cluster.server,
      ca: pemOf(cluster, 'certificate-authority', folder),
      serverName: cluster['tls-server-name'],
      cert: pemOf(user, 'client-certificate', folder),
      key: pemOf(user, 'client-key', folder),
      token: user.token,
      timeout,
    })
  } catch (cause) {
    throw new SeamarkError('BAD_OPTION', `${option}: ${path}: ${(cause as Error).message}`, { cause })
  }
}
