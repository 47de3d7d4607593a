/**
 * A real apiserver for a test: its own folder, SQLite store and PKI, HTTPS on a free port of 127.0.0.1. It ends with the
 * test.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { type Apiserver, createApiserver } from '#cluster/apiserver/apiserver.ts'
import { bootstrap } from '#cluster/apiserver/bootstrap/bootstrap.ts'
import { CLUSTER_OPTIONS } from '#cluster/apiserver/bootstrap/options.ts'
import type { LocalClient } from '#cluster/apiserver/client.ts'
import { APISERVER_OPTIONS } from '#cluster/apiserver/options.ts'
import { ensurePki, type KubeconfigPaths, type Pki } from '#cluster/pki/pki.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry, type Registry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { systemRandom } from '#lib/random.ts'
import { readAdmin } from './admin-tls.ts'
import { giveCredentials } from './shared-credentials.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface TestReply {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  /** As it came. */
  readonly body: Buffer
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any
}

export interface RequestInit {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Without the client certificate. */
  readonly anonymous?: boolean
  /** With this bearer token instead of the certificate. */
  readonly token?: string
  /** As this user, and in these groups. */
  readonly as?: string
  readonly groups?: readonly string[]
}

export interface RunningApiserver {
  readonly apiserver: Apiserver
  readonly client: LocalClient
  readonly store: Store
  readonly registry: Registry
  readonly pki: Pki
  readonly folder: string
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Path of admin.kubeconfig. */
  readonly kubeconfig: string
  /** Paths of the programs' kubeconfigs. */
  readonly programs: KubeconfigPaths['programs']
  /** PEM: what a TLS client needs to be the admin. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  /** A request as admin over HTTP/1.1. `body`: an object is sent as JSON, a text as it is. */
  fetch(path: string, init?: RequestInit): Promise<TestReply>
  close(): Promise<void>
}

export interface StartOptions {
  readonly folder?: string
  readonly clock?: Clock
  readonly historySize?: number
  /** What it serves besides what is built in. */
  readonly kinds?: readonly Kind[]
  /** Without the first objects but the namespaces that the test makes. */
  readonly bare?: boolean
  /** Default 0: any. */
  readonly port?: number
  /** Options of the apiserver, by the names of their table. */
  readonly options?: Readonly<Record<string, unknown>>
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const send = (url: string, options: RequestOptions, body: string | undefined): Promise<TestReply> =>
  new Promise((resolve, reject) => {
    const sent = request(url, options, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        const text = body.toString()
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body, text, json: parseJson(text) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const identity = ({ token, as, groups = [] }: RequestInit): Record<string, string | string[]> => ({
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...(as === undefined ? {} : { 'impersonate-user': as }),
  ...(groups.length > 0 ? { 'impersonate-group': [...groups] } : {}),
})

const start = async (folder: string, options: StartOptions) => {
  // Those of another time would have ended, or not begun.
  const isNow = !options.clock || Math.abs(options.clock.now() - Date.now()) < 60_000
  if (isNow && !options.folder) await giveCredentials(folder)
  const environment = {
    clock: options.clock ?? systemClock,
    random: systemRandom,
    logger: silentLogger,
    registry: createRegistry(),
  }
  const pki = await ensurePki({ directory: folder, ...environment })
  const store = await openSqliteStore({ directory: folder, ...environment })
  const table = readOptions(APISERVER_OPTIONS, {
    historySize: options.historySize,
    // Without controllers no namespace has an account for its Pods, and nobody lets go of volumes.
    disableAdmissionPlugins: 'ServiceAccount,StorageObjectInUseProtection',
    ...options.options,
  })
  const cluster = readOptions(CLUSTER_OPTIONS)
  if (!table.ok || !cluster.ok) throw new Error('the defaults are out of bounds')
  const apiserver = createApiserver(
    {
      ...table.value,
      address: { host: '127.0.0.1', port: options.port ?? 0 },
      clusterDomain: 'cluster.local',
      certificateAddresses: ['10.96.0.1'],
    },
    {
      ...environment,
      store,
      pki,
      kinds: [...KINDS, ...(options.kinds ?? [])],
      ...(options.bare
        ? {}
        : {
            bootstrap: (client, address) => bootstrap(client, { ...cluster.value, apiserver: address }, silentLogger),
          }),
    },
  )
  try {
    await apiserver.start(new AbortController().signal)
  } catch (error) {
    await apiserver.close()
    await store.close()
    throw error
  }
  const url = `https://127.0.0.1:${apiserver.address.port}`
  const { admin, programs } = await pki.writeKubeconfigs({ server: url, nodeName: 'test' })
  return { apiserver, store, pki, registry: environment.registry, url, kubeconfig: admin, programs }
}

/** Without a test it ends when `close` is called. */
export const startApiserver = async (t?: ExecutionContext, options: StartOptions = {}): Promise<RunningApiserver> => {
  const folder = options.folder ?? (t ? temporaryFolder(t) : mkdtempSync(join(tmpdir(), 'seamark-test-')))
  const running = await start(folder, options)
  const tls = readAdmin(running.kubeconfig)
  const known = new Agent({ ...tls, keepAlive: true })
  const unknown = new Agent({ ca: tls.ca, keepAlive: true })
  const end = async (): Promise<void> => {
    known.destroy()
    unknown.destroy()
    await running.apiserver.close()
    await running.store.close()
    if (!t && !options.folder) rmSync(folder, { recursive: true, force: true })
  }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= end())
  t?.teardown(close)
  const fetch: RunningApiserver['fetch'] = (path, init = {}) => {
    const { method = 'GET', body, anonymous = false, token } = init
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    // Node gives the body of a DELETE no length of its own.
    const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
    const type = text === undefined ? {} : { 'content-type': 'application/json', ...length }
    const agent = anonymous || token !== undefined ? unknown : known
    return send(running.url + path, { method, agent, headers: { ...type, ...identity(init), ...init.headers } }, text)
  }
  return { ...running, client: running.apiserver.client, folder, tls, fetch, close }
}
