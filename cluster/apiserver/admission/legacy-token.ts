/**
 * A Secret of type kubernetes.io/service-account-token holds a token of the account that it names, which ends with the
 * Secret; Kubernetes's token controller fills it in a little later.
 */

import { secretKind } from '#cluster/api/kinds/secret.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'
import { LEGACY_ISSUER, legacyClaims } from '../tokens/service-account-claims.ts'
import type { TokenIssuer } from '../tokens/token-issuer.ts'

const TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'

export interface LegacyTokenEnvironment {
  readonly cacher: Cacher
  readonly issuer: TokenIssuer
  /** PEM of the CA: what the token's holder knows the apiserver by. */
  readonly authority: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const createLegacyToken = ({ cacher, issuer, authority }: LegacyTokenEnvironment): AdmissionPlugin => {
  const fill = async ({ object, namespace = '', name }: AdmissionRequest): Promise<undefined> => {
    const { annotations = {} } = object.metadata
    const account = annotations[NAME] ?? ''
    const owner = cacher.cache(serviceAccountKind).get(`${namespace}/${account}`)?.object
    const uid = owner?.metadata.uid ?? ''
    if (!owner || (annotations[UID] && annotations[UID] !== uid)) return undefined
    const data = (object.data ?? {}) as Record<string, string>
    object.metadata.annotations = { ...annotations, [UID]: uid }
    const token =
      data.token ?? base64(await issuer.sign(legacyClaims({ namespace, secret: name, account, uid }), LEGACY_ISSUER))
    object.data = { ...data, token, 'ca.crt': base64(authority), namespace: base64(namespace) }
    return undefined
  }
  return {
    name: 'ServiceAccountToken',
    admit(request) {
      const { verb, kind, object, name } = request
      const wanted = kind === secretKind && verb !== 'delete' && object.type === TYPE && name !== ''
      return wanted ? fill(request) : undefined
    },
  }
}
