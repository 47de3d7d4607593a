/**
 * A kubelet reads its own Node, the Pods of its node and what those name, and nothing of others (Kubernetes: Using Node
 * Authorization, KEP-4601). What is not divided by node it may do as the rules of ClusterRole `system:node` say.
 */
import type { Kind } from '#cluster/api/kind.ts'
import { persistentVolumeKind } from '#cluster/api/kinds/persistent-volume.ts'
import { volumeAttachmentKind } from '#cluster/api/kinds/volume-attachment.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { PolicyRule } from '#cluster/api/rbac/rbac.ts'
import { type Attributes, type Authorizer, type Decision, NO_OPINION, type ResourceAttributes } from '../authorizer.ts'
import { nodeOfUser } from '../node/node-identity.ts'
import type { NodePods } from '../node/node-pods.ts'
import type { PodReferences } from '../node/pod-references.ts'
import { claimOf, type ObjectName, volumeSecrets } from '../node/volume-secrets.ts'
import { ruleAllows } from '../rbac/rule-match.ts'
import type { Cacher } from '../storage/cacher.ts'

export interface NodeAuthorizerEnvironment {
  readonly cacher: Cacher
  readonly pods: NodePods
  /** Of ClusterRole `system:node`, as Kubernetes states them. */
  readonly rules: readonly PolicyRule[]
}

/** One request of a kubelet. */
interface Asked {
  readonly node: string
  readonly verb: string
  readonly asked: ResourceAttributes
  readonly pods: NodePods
  readonly cacher: Cacher
}

const ALLOWED: Decision = { decision: 'allow', reason: '' }
const no = (reason: string): Decision => ({ decision: 'no-opinion', reason })

const READS = new Set(['get', 'list', 'watch'])
const OWN_OBJECT = new Set(['get', 'create', 'update', 'patch', 'delete'])
const LEASES = 'kube-node-lease'

const unrelated = ({ node }: Asked): Decision => no(`no relationship found between node '${node}' and this object`)

const related = (request: Asked, holds: (references: PodReferences) => boolean): Decision => {
  const { node, asked, pods } = request
  if (asked.name === '') return no('No Object name found')
  return pods.names(node, asked.namespace, holds) ? ALLOWED : unrelated(request)
}

const read = (request: Asked, of: (references: PodReferences) => ReadonlySet<string>): Decision => {
  const { verb, asked } = request
  if (!READS.has(verb)) return no('can only read resources of this type')
  if (asked.subresource !== '') return no('cannot read subresource')
  if (asked.namespace === '') return no('can only read namespaced object of this type')
  return related(request, references => of(references).has(asked.name))
}

/** Whether a Pod of the node has the claim that has the volume. */
const mounts = ({ node, pods }: Asked, object: ApiObject): boolean => {
  const claim = claimOf(object)
  return claim !== undefined && pods.names(node, claim.namespace, ({ claims }) => claims.has(claim.name))
}

/** Named by a Pod, or by a volume that a Pod mounts. */
const secret = (request: Asked): Decision => {
  const verdict = read(request, ({ secrets }) => secrets)
  const { asked, verb, cacher } = request
  if (verdict === ALLOWED || asked.name === '' || asked.subresource !== '' || !READS.has(verb)) return verdict
  const isIt = ({ namespace, name }: ObjectName) => namespace === asked.namespace && name === asked.name
  const volumes = cacher.cache(persistentVolumeKind).list()
  return volumes.some(({ object }) => volumeSecrets(object).some(isIt) && mounts(request, object)) ? ALLOWED : verdict
}

/** Of a kind of which a node gets single objects alone. */
const single = (request: Asked, kind: Kind, isRelated: (object: ApiObject) => boolean): Decision => {
  const { asked, verb, cacher } = request
  if (verb !== 'get') return no('can only get individual resources of this type')
  if (asked.subresource !== '') return no('cannot get subresource')
  const object = cacher.cache(kind).get(asked.name)?.object
  return object && isRelated(object) ? ALLOWED : unrelated(request)
}

const attached = ({ node }: Asked, { spec }: ApiObject): boolean => isObject(spec) && spec.nodeName === node

const claim = (request: Asked): Decision => {
  const { verb, asked } = request
  const status = asked.subresource === 'status'
  if (status && verb !== 'update' && verb !== 'patch') return no('can only get/update/patch this type')
  if (!status && verb !== 'get') return no('can only get individual resources of this type')
  if (!status && asked.subresource !== '') return no('cannot get subresource')
  return related(request, ({ claims }) => claims.has(asked.name))
}

const account = (request: Asked): Decision => {
  const { verb, asked } = request
  const isAccount = ({ serviceAccount }: PodReferences) => serviceAccount === asked.name
  if (verb === 'get' && asked.subresource === '') return related(request, isAccount)
  if (verb !== 'create' || asked.name === '') return no('can only create tokens for individual service accounts')
  if (asked.subresource !== 'token') return no('can only create token subresource of serviceaccount')
  return related(request, isAccount)
}

/** Of an object that is called as the node is. A create does not say the name: admission looks at that. */
const own = ({ node, verb, asked }: Asked, what: string): Decision => {
  if (!OWN_OBJECT.has(verb)) return no(`can only get, create, update, patch, or delete a ${what}`)
  return verb === 'create' || asked.name === node
    ? ALLOWED
    : no(`can only access ${what} with the same name as the requesting node`)
}

const lease = (request: Asked): Decision =>
  request.asked.namespace === LEASES
    ? own(request, 'node lease')
    : no(`can only access leases in the ${JSON.stringify(LEASES)} system namespace`)

const nodeItself = ({ node, verb, asked }: Asked): Decision => {
  if (asked.subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOWED : NO_OPINION
  if (asked.subresource !== '') return NO_OPINION
  // Which Node, admission looks at.
  if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOWED
  if (!READS.has(verb)) return NO_OPINION
  if (asked.name === node) return ALLOWED
  return asked.name === ''
    ? no(`node '${node}' cannot read all nodes, only its own Node object`)
    : no(`node '${node}' cannot read '${asked.name}', only its own Node object`)
}

const ofNode = (request: Asked): Decision => {
  const { node, asked, pods } = request
  return pods.has(node, asked.namespace, asked.name) ? ALLOWED : unrelated(request)
}

const pod = (request: Asked): Decision => {
  const { node, verb, asked } = request
  switch (`${verb} ${asked.subresource}`) {
    case 'get ':
      return ofNode(request)
    case 'list ':
    case 'watch ': {
      const scoped = asked.fieldSelector?.some(
        ({ field, equal, value }) => field === 'spec.nodeName' && equal && value === node,
      )
      if (scoped) return ALLOWED
      return asked.name === '' ? no('can only list/watch pods with spec.nodeName field selector') : ofNode(request)
    }
    // Which Pods, admission looks at.
    case 'create ':
    case 'delete ':
    case 'update status':
    case 'patch status':
    case 'create eviction':
      return ALLOWED
    case 'get status':
      return ofNode(request)
    default:
      return NO_OPINION
  }
}

const DIVIDED: Readonly<Record<string, (request: Asked) => Decision>> = {
  '/secrets': secret,
  '/configmaps': request => read(request, ({ configMaps }) => configMaps),
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': request => single(request, persistentVolumeKind, volume => mounts(request, volume)),
  '/serviceaccounts': account,
  '/nodes': nodeItself,
  '/pods': pod,
  'coordination.k8s.io/leases': lease,
  'storage.k8s.io/volumeattachments': request =>
    single(request, volumeAttachmentKind, attachment => attached(request, attachment)),
  'storage.k8s.io/csinodes': request =>
    request.asked.subresource === '' ? own(request, 'CSINode') : no('cannot authorize CSINode subresources'),
}

export const createNodeAuthorizer = ({ cacher, pods, rules }: NodeAuthorizerEnvironment): Authorizer => ({
  name: 'Node',
  authorize(attributes: Attributes) {
    const { user, verb, resource: asked } = attributes
    const node = nodeOfUser(user)
    if (node === undefined) return NO_OPINION
    if (node === '') return no(`unknown node for user ${JSON.stringify(user.name)}`)
    const key = asked && `${asked.group}/${asked.resource}`
    if (asked && key && Object.hasOwn(DIVIDED, key)) return DIVIDED[key]!({ node, verb, asked, pods, cacher })
    return rules.some(rule => ruleAllows(rule, attributes)) ? ALLOWED : NO_OPINION
  },
  rulesFor: user => ({
    resourceRules: [],
    nonResourceRules: [],
    ...(nodeOfUser(user) === undefined ? {} : { incomplete: 'node authorizer does not support user rule resolution' }),
  }),
})
