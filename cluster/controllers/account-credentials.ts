/**
 * Each controller is a service account of its own in kube-system, with exactly the rights of its role, as
 * kube-controller-manager runs them under `--use-service-account-credentials`: the account is made where it is missing,
 * and its token asked for with the rights of system:kube-controller-manager.
 *
 * Promised: a token is asked for when the first request needs one, and anew well before it ends or when it is refused.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { isAlreadyExists, isNotFound } from '#watcher/api-status-error.ts'
import type { RestClient } from '#watcher/client.ts'
import type { Credentials } from '#watcher/credentials.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'

const NAMESPACE = 'kube-system'
const ACCOUNTS: Resource = { group: '', version: 'v1', resource: 'serviceaccounts' }
/** As kube-controller-manager asks for. */
const LIFETIME_SECONDS = 3600
/** Asked for anew when four fifths of its life are over, as kubelets do. */
const USED: Milliseconds = LIFETIME_SECONDS * 800

interface TokenRequest extends ApiObject {
  readonly spec: { readonly audiences: readonly string[]; readonly expirationSeconds: number }
  readonly status?: { readonly token: string }
}

/** `client`: who may make accounts and ask for their tokens. */
export const accountCredentials = (client: RestClient, account: string, clock: Clock): Credentials => {
  let current: { readonly token: Promise<string>; readonly until: Milliseconds } | undefined

  const request = async (): Promise<string> => {
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: account, namespace: NAMESPACE },
      spec: { audiences: [], expirationSeconds: LIFETIME_SECONDS },
    }
    const { status } = await client.create(ACCOUNTS, body, { subresource: 'token' })
    return status?.token ?? ''
  }

  const makeAccount = async (): Promise<void> => {
    const metadata = { name: account, namespace: NAMESPACE }
    try {
      await client.create<ApiObject>(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  const obtain = async (): Promise<string> => {
    try {
      return await request()
    } catch (error) {
      if (!isNotFound(error)) throw error
      await makeAccount()
      return request()
    }
  }

  const token = (): Promise<string> => {
    if (current && clock.monotonic() < current.until) return current.token
    const next = { token: obtain(), until: clock.monotonic() + USED }
    current = next
    // What failed is asked for again by the next request.
    next.token.catch(() => {
      if (current === next) current = undefined
    })
    return next.token
  }

  return {
    headers: async () => ({ authorization: `Bearer ${await token()}` }),
    keyPair: async () => undefined,
    refused() {
      current = undefined
      return true
    },
  }
}
