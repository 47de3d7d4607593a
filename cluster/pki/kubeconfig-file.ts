/** Kubeconfig files (client.authentication of kubectl: `apiVersion: v1, kind: Config`) with everything embedded. */
import { parse, stringify } from 'yaml'

/** The name of our cluster, and the context's that points to it. */
const CLUSTER = 'seamark'

export interface KubeconfigEntry {
  /** `https://HOST:PORT` */
  readonly server: string
  /** PEM. */
  readonly authority: string
  readonly user: string
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
}

type Named<Field extends string> = { name: string } & { [Name in Field]?: Record<string, unknown> }

interface Kubeconfig extends Record<string, unknown> {
  clusters: Named<'cluster'>[]
  contexts: Named<'context'>[]
  users: Named<'user'>[]
}

const toBase64 = (pem: string): string => Buffer.from(pem).toString('base64')

const fromBase64 = (data: unknown): string => (typeof data === 'string' ? Buffer.from(data, 'base64').toString() : '')

const list = <Item>(value: unknown): Item[] => (Array.isArray(value) ? value.filter(item => item?.name) : [])

/** What the file says; an empty one when it says nothing that can be understood. */
const read = (text: string | undefined): Kubeconfig => {
  let content: unknown
  try {
    content = parse(text ?? '')
  } catch {}
  const known = typeof content === 'object' && content !== null && 'kind' in content && content.kind === 'Config'
  const { clusters, contexts, users, ...rest } = (known ? content : {}) as Record<string, unknown>
  return { ...rest, clusters: list(clusters), contexts: list(contexts), users: list(users) }
}

const named = <Item extends { name: string }>(items: Item[], name: string): Item | undefined =>
  items.find(item => item.name === name)

const replaced = <Item extends { name: string }>(items: Item[], item: Item): Item[] =>
  named(items, item.name) ? items.map(other => (other.name === item.name ? item : other)) : [...items, item]

/** The certificate and key that the file holds for a user; empty texts where it holds none. */
export const credentialsIn = (text: string | undefined, user: string): { certificate: string; key: string } => {
  const entry = named(read(text).users, user)?.user
  return {
    certificate: fromBase64(entry?.['client-certificate-data']),
    key: fromBase64(entry?.['client-key-data']),
  }
}

/**
 * The file's next content: `text` with our cluster and user as given. What people added (a default namespace, other
 * contexts) stays.
 */
export const kubeconfigWith = (text: string | undefined, entry: KubeconfigEntry): string => {
  const { clusters, contexts, users, ...rest } = read(text)
  const context = { ...named(contexts, CLUSTER)?.context, cluster: CLUSTER, user: entry.user }
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': CLUSTER,
      ...rest,
      clusters: replaced(clusters, {
        name: CLUSTER,
        cluster: { server: entry.server, 'certificate-authority-data': toBase64(entry.authority) },
      }),
      contexts: replaced(contexts, { name: CLUSTER, context }),
      users: replaced(users, {
        name: entry.user,
        user: {
          'client-certificate-data': toBase64(entry.certificate),
          'client-key-data': toBase64(entry.key),
        },
      }),
    },
    { lineWidth: 0 },
  )
}
