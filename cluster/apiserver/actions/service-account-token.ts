/** POST to serviceaccounts/NAME/token: a token of the account, for an audience and a time (TokenRequest). */
import { randomUUID } from 'node:crypto'
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { secretKind } from '#cluster/api/kinds/secret.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { tokenRequestKind } from '#cluster/api/reviews.ts'
import { badRequest, conflict, invalid, notFound, type Status } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import type { Registry } from '../registry.ts'
import { objectKey } from '../storage/keys.ts'
import { type BoundClaims, boundClaims, referenceTo } from '../tokens/service-account-claims.ts'

interface BoundReference {
  readonly kind?: string
  readonly apiVersion?: string
  readonly name?: string
  readonly uid?: string
}

interface Spec {
  readonly audiences?: readonly string[]
  readonly expirationSeconds?: number
  readonly boundObjectRef?: BoundReference
}

/** Seconds. */
const DEFAULT_LIFETIME = 3600
const MIN_LIFETIME = 600
const MAX_LIFETIME = 2 ** 32

const BINDABLE: Readonly<Record<string, Kind>> = { Pod: podKind, Secret: secretKind, Node: nodeKind }

const checkLifetime = (seconds: number): FieldError[] => {
  const field = 'spec.expirationSeconds'
  if (seconds < MIN_LIFETIME) return [fieldInvalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  return seconds > MAX_LIFETIME
    ? [fieldInvalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : []
}

/** From memory that is of now: a token is good only for what is there. */
const find = async ({ cacher }: Registry, kind: Kind, namespace: string | undefined, name: string) => {
  await cacher.fresh()
  return cacher.cache(kind).get(objectKey(kind, namespace, name))?.object
}

const nodeOf = async (registry: Registry, pod: ApiObject): Promise<Pick<BoundClaims, 'node'>> => {
  const name = isObject(pod.spec) && typeof pod.spec.nodeName === 'string' ? pod.spec.nodeName : ''
  if (name === '') return {}
  const node = await find(registry, nodeKind, undefined, name)
  return { node: node ? referenceTo(node) : { name } }
}

type Bound = Omit<BoundClaims, 'namespace' | 'serviceaccount'>

const bind = async (
  registry: Registry,
  account: ApiObject,
  reference: BoundReference | undefined,
): Promise<Result<Bound, Status>> => {
  if (!reference) return accepted({})
  const { kind: named = '', apiVersion = '', name = '', uid = '' } = reference
  const kind = apiVersion === 'v1' && Object.hasOwn(BINDABLE, named) ? BINDABLE[named] : undefined
  const group = apiVersion.includes('/') ? '' : '/'
  if (!kind) return refused(badRequest(`cannot bind token to object of type ${group}${apiVersion}, Kind=${named}`))
  const { namespace, name: owner } = account.metadata
  const object = await find(registry, kind, kind.namespaced ? namespace : undefined, name)
  if (!object) return refused(notFound({ ...kind, name }))
  if (kind === podKind && (object.spec as { serviceAccountName?: string }).serviceAccountName !== owner) {
    const text = `cannot bind token for serviceaccount ${JSON.stringify(owner)} to pod running with different serviceaccount name.`
    return refused(badRequest(text))
  }
  if (uid !== '' && uid !== object.metadata.uid) {
    const detail = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
    return refused(conflict({ ...kind, resource: named, name }, detail))
  }
  const bound = { [named.toLowerCase()]: referenceTo(object) } as Bound
  return accepted(kind === podKind ? { ...bound, ...(await nodeOf(registry, object)) } : bound)
}

const SUBJECT = { ...tokenRequestKind, resource: 'TokenRequest' }

/** What the body says about its account must be what the path says. */
const checkAccount = ({ metadata: given }: ApiObject, { metadata }: ApiObject): Status | undefined => {
  const name = metadata.name ?? ''
  for (const field of ['name', 'namespace'] as const) {
    if (!given[field] || given[field] === metadata[field]) continue
    const detail = `must match the service account ${field} if specified`
    return invalid({ ...SUBJECT, name }, [fieldInvalid(`metadata.${field}`, given[field], detail)])
  }
  if (!given.uid || given.uid === metadata.uid) return undefined
  const detail = `the UID in the token request (${given.uid}) does not match the UID of the service account (${metadata.uid})`
  return conflict({ ...SUBJECT, name }, detail)
}

export const serviceAccountToken = (environment: ActionEnvironment): Action => {
  const { registry, now, issuer, audiences: own } = environment
  return {
    kind: tokenRequestKind,
    subresourceOf: { kind: serviceAccountKind, subresource: 'token' },
    async run({ object, namespace = '', name }) {
      const account = await find(registry, serviceAccountKind, namespace, name)
      if (!account) return refused(notFound({ ...serviceAccountKind, name }))
      const mismatch = checkAccount(object, account)
      if (mismatch) return refused(mismatch)
      const { audiences = [], expirationSeconds = DEFAULT_LIFETIME, boundObjectRef } = (object.spec ?? {}) as Spec
      const errors = checkLifetime(expirationSeconds)
      if (errors.length > 0) return refused(invalid({ ...SUBJECT, name: '' }, errors))
      const bound = await bind(registry, account, boundObjectRef)
      if (!bound.ok) return bound
      const at = now()
      const meant = audiences.length > 0 ? audiences : own
      const claims = boundClaims({
        account,
        audiences: meant,
        bound: bound.value,
        now: Math.floor(at / 1000),
        lifetime: expirationSeconds,
        id: randomUUID(),
      })
      const token = await issuer.sign(claims)
      const { uid } = account.metadata
      return accepted({
        ...object,
        metadata: { name, namespace, ...(uid ? { uid } : {}), creationTimestamp: timestamp(at) },
        spec: { audiences: meant, expirationSeconds, ...(boundObjectRef ? { boundObjectRef } : {}) },
        status: { token, expirationTimestamp: timestamp(at + expirationSeconds * 1000) },
      })
    },
  }
}
