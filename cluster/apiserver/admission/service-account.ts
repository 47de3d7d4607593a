/**
 * Each Pod is a service account, `default` unless it says otherwise, and finds that account's token, the cluster's CA and
 * its own namespace mounted where every client library looks (Kubernetes: ServiceAccount admission, KEP-1205).
 */
import { podKind } from '#cluster/api/kinds/pod.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { Container, PodSpec, Volume } from '#cluster/api/pod/pod.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { MIRROR } from '../node/node-pods.ts'
import type { Cacher } from '../storage/cacher.ts'
import { generateName } from '../verbs/generate-name.ts'

export interface ServiceAccountAdmissionEnvironment {
  readonly cacher: Cacher
  readonly clock: Clock
  readonly random: Random
}

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
/** An hour and seven seconds: by which kube-apiserver knows a token that nobody asked for by its lifetime. */
const LIFETIME_SECONDS = 3607
/** A namespace's own account comes a little after the namespace: so long a Pod waits for it. */
const WAIT: Milliseconds = 1000

const tokenVolume = (name: string): Volume =>
  ({
    name,
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: LIFETIME_SECONDS } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  }) as Volume

const mountsToken = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.some(({ mountPath }) => mountPath === MOUNT_PATH)

/** In every container that has nothing there yet. */
const mountToken = (spec: PodSpec, random: Random): void => {
  const bare = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(each => !mountsToken(each))
  if (bare.length === 0) return
  const present = spec.volumes?.find(volume => volume.name?.startsWith(VOLUME_PREFIX))
  const name = present?.name ?? generateName(VOLUME_PREFIX, random)
  for (const container of bare)
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name, readOnly: true, mountPath: MOUNT_PATH } as NonNullable<Container['volumeMounts']>[number],
    ]
  if (!present) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

/** The Pod's word counts before the account's. */
const wantsToken = (spec: Record<string, unknown>, account: ApiObject): boolean =>
  (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) === true

export const createServiceAccountAdmission = (environment: ServiceAccountAdmissionEnvironment): AdmissionPlugin => {
  const { cacher, clock, random } = environment
  const accounts = cacher.cache(serviceAccountKind)

  const appears = (key: string): Promise<ApiObject | undefined> =>
    new Promise(resolve => {
      const done = (account: ApiObject | undefined) => {
        timer.cancel()
        stop()
        resolve(account)
      }
      const timer = clock.after(WAIT, () => done(undefined))
      const stop = accounts.subscribe(({ current }) => {
        if (current?.key === key) done(current.object)
      })
    })

  const complete = async ({ kind, object, namespace = '', name }: AdmissionRequest): Promise<Refusal> => {
    if (!isObject(object.spec)) return undefined
    const spec = object.spec as PodSpec & Record<string, unknown>
    spec.serviceAccountName ||= 'default'
    const key = `${namespace}/${spec.serviceAccountName}`
    const account = accounts.get(key)?.object ?? (await appears(key))
    if (!account) {
      const detail = `error looking up service account ${key}: serviceaccount "${spec.serviceAccountName}" not found`
      return forbidden({ ...kind, name }, detail)
    }
    if (wantsToken(spec, account)) mountToken(spec, random)
    const { imagePullSecrets: own } = spec
    const { imagePullSecrets: lent } = account
    if ((!Array.isArray(own) || own.length === 0) && Array.isArray(lent) && lent.length > 0)
      spec.imagePullSecrets = structuredClone(lent)
    return undefined
  }

  return {
    name: 'ServiceAccount',
    admit(request) {
      const { verb, kind, subresource, object } = request
      const concerned = kind === podKind && verb === 'create' && subresource === ''
      return concerned && object.metadata.annotations?.[MIRROR] === undefined ? complete(request) : undefined
    },
  }
}
