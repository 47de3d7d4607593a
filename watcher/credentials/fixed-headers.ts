import type { Credentials } from '../credentials.ts'

const fixedHeaders = (headers: Readonly<Record<string, string | readonly string[]>>): Credentials => ({
  headers: async () => headers,
  keyPair: async () => undefined,
  refused: () => false,
})

export const tokenCredentials = (token: string): Credentials => fixedHeaders({ authorization: `Bearer ${token}` })

/** RFC 7617. */
export const basicCredentials = (username: string, password: string): Credentials =>
  fixedHeaders({ authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` })

export interface Impersonation {
  readonly user: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Acts as another user (Kubernetes documentation, "User impersonation"). Keys of `extra` are percent-encoded. */
export const impersonation = ({ user, uid, groups = [], extra = {} }: Impersonation): Credentials =>
  fixedHeaders({
    'impersonate-user': user,
    ...(uid && { 'impersonate-uid': uid }),
    ...(groups.length > 0 && { 'impersonate-group': groups }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `impersonate-extra-${encodeURIComponent(key.toLowerCase())}`,
        values,
      ]),
    ),
  })
