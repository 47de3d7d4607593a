import { readFileSync } from 'node:fs'
import test from 'ava'
import { decodeBody } from '#cluster/api/decode.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { apiVersionOf } from '#cluster/api/object.ts'
import { typeSchema } from '#cluster/api/schema.ts'
import { validateCreate, validateUpdate } from '#cluster/api/validate.ts'
import { prepared, texts } from '../../../support/api-objects.ts'

const workload = {
  selector: { matchLabels: { app: 'a' } },
  template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
}

const webhook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://127.0.0.1:8443/admit' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}

/** One small good object a kind. */
const GOOD: Readonly<Record<string, Record<string, unknown>>> = {
  ConfigMap: { metadata: { name: 'c' }, data: { 'a.txt': 'x' } },
  Endpoints: { metadata: { name: 'e' }, subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] },
  'v1/Event': {
    metadata: { name: 'x' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Started',
    count: 1,
    type: 'Normal',
  },
  'events.k8s.io/v1/Event': {
    metadata: { name: 'x' },
    eventTime: '2031-01-01T00:00:00.123456Z',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    action: 'Started',
    reason: 'Started',
    note: 'It runs.',
    type: 'Normal',
  },
  Namespace: { metadata: { name: 'n' } },
  CustomResourceDefinition: {
    metadata: { name: 'points.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'points', kind: 'Point' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  Node: { metadata: { name: 'n' }, spec: { podCIDR: '10.244.0.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] } },
  Pod: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  Secret: { metadata: { name: 's' }, stringData: { key: 'value' } },
  Service: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } },
  ServiceAccount: { metadata: { name: 's' } },
  Lease: { metadata: { name: 'l' }, spec: { holderIdentity: 'me', renewTime: '2031-01-01T00:00:00.000001Z' } },
  EndpointSlice: {
    metadata: { name: 'e' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.2.3'] }],
    ports: [{ port: 80 }],
  },
  IPAddress: {
    metadata: { name: '10.96.0.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } },
  },
  ClusterRole: {
    metadata: { name: 'system:C' },
    rules: [{ verbs: ['get'], nonResourceURLs: ['/x/*'] }],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  },
  ClusterRoleBinding: {
    metadata: { name: 'b' },
    subjects: [
      { kind: 'Group', name: 'g' },
      { kind: 'ServiceAccount', name: 's', namespace: 'n' },
    ],
    roleRef: { kind: 'ClusterRole', name: 'c' },
  },
  Role: { metadata: { name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] },
  RoleBinding: {
    metadata: { name: 'b' },
    subjects: [{ kind: 'User', name: 'u' }],
    roleRef: { kind: 'Role', name: 'r' },
  },
  IngressClass: {
    metadata: { name: 'i' },
    spec: { controller: 'example.com/c', parameters: { kind: 'Settings', name: 's' } },
  },
  NetworkPolicy: {
    metadata: { name: 'n' },
    spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 53 }] }] },
  },
  HorizontalPodAutoscaler: {
    metadata: { name: 'h' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3 },
  },
  CertificateSigningRequest: {
    metadata: { name: 'c' },
    spec: {
      request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n').toString('base64'),
      signerName: 'example.com/s',
      usages: ['client auth'],
    },
  },
  APIService: {
    metadata: { name: 'v1.a.example' },
    spec: { group: 'a.example', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  },
  Ingress: {
    metadata: { name: 'i' },
    spec: { defaultBackend: { service: { name: 's', port: { name: 'http' } } }, tls: [{ secretName: 'k' }] },
  },
  PersistentVolume: {
    metadata: { name: 'v' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      local: { path: '/disk' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } },
    },
  },
  PersistentVolumeClaim: {
    metadata: { name: 'c' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      dataSource: { kind: 'PersistentVolumeClaim', name: 'd' },
    },
  },
  PodTemplate: { metadata: { name: 'p' }, template: workload.template },
  MutatingWebhookConfiguration: { metadata: { name: 'm' }, webhooks: [webhook] },
  ValidatingWebhookConfiguration: { metadata: { name: 'v' }, webhooks: [webhook] },
  ValidatingAdmissionPolicy: {
    metadata: { name: 'p.example.com' },
    spec: {
      matchConstraints: { resourceRules: webhook.rules },
      validations: [{ expression: 'object.spec.replicas <= 5' }],
    },
  },
  ValidatingAdmissionPolicyBinding: {
    metadata: { name: 'b' },
    spec: { policyName: 'p.example.com', validationActions: ['Deny'] },
  },
  LimitRange: { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] } },
  ResourceQuota: { metadata: { name: 'q' }, spec: { hard: { pods: '1', 'count/deployments.apps': '2' } } },
  PodDisruptionBudget: { metadata: { name: 'p' }, spec: { minAvailable: '50%' } },
  PriorityClass: { metadata: { name: 'p' }, value: 7 },
  ReplicationController: { metadata: { name: 'r' }, spec: { template: workload.template } },
  RuntimeClass: { metadata: { name: 'r' }, handler: 'runsc', overhead: { podFixed: { cpu: '100m' } } },
  CSIDriver: { metadata: { name: 'd' }, spec: { tokenRequests: [{ audience: 'a' }] } },
  CSINode: { metadata: { name: 'n' }, spec: { drivers: [{ name: 'd', nodeID: 'n' }] } },
  CSIStorageCapacity: { metadata: { name: 'c' }, storageClassName: 's', capacity: '1Gi' },
  VolumeAttachment: {
    metadata: { name: 'v' },
    spec: {
      attacher: 'd',
      nodeName: 'n',
      source: { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], csi: { driver: 'd', volumeHandle: 'h' } } },
    },
  },
  VolumeAttributesClass: { metadata: { name: 'v' }, driverName: 'd', parameters: { iops: '1' } },
  StorageClass: { metadata: { name: 's' }, provisioner: 'example.com/disk' },
  CronJob: {
    metadata: { name: 'c' },
    spec: {
      schedule: '*/5 8-18 * * mon-fri',
      timeZone: 'Europe/Zurich',
      jobTemplate: { spec: { template: { spec: { ...workload.template.spec, restartPolicy: 'Never' } } } },
    },
  },
  Job: {
    metadata: { name: 'j' },
    spec: { template: { spec: { ...workload.template.spec, restartPolicy: 'OnFailure' } } },
  },
  ControllerRevision: { metadata: { name: 'c' }, data: { any: ['thing'] }, revision: 1 },
  DaemonSet: { metadata: { name: 'd' }, spec: workload },
  Deployment: { metadata: { name: 'd' }, spec: workload },
  ReplicaSet: { metadata: { name: 'r' }, spec: workload },
  StatefulSet: {
    metadata: { name: 's' },
    spec: {
      ...workload,
      volumeClaimTemplates: [
        {
          metadata: { name: 'v' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  },
  ServiceCIDR: { metadata: { name: 'c' }, spec: { cidrs: ['10.96.0.0/12', 'fd00::/112'] } },
}

for (const kind of KINDS) {
  const version = apiVersionOf(kind)
  const label = `${version} ${kind.kind}`
  const good = GOOD[kind.kind] ?? GOOD[`${version}/${kind.kind}`] ?? {}

  test(`${label} is known to types.json and called as kubectl calls it`, t => {
    t.true(typeSchema(kind.type).root)
    t.is(kind.resource, kind.resource.toLowerCase())
    t.is(kind.hasStatus, typeSchema(kind.type).byName.has('status'))
  })

  test(`${label}: a good object is accepted`, t => {
    t.deepEqual(texts(validateCreate(kind, prepared(kind, good))), [])
  })

  test(`${label}: defaults and the canonical form are stable, and decode again to the same`, t => {
    const object = prepared(kind, good)
    const once = encodeObject(object, kind.type)
    kind.applyDefaults?.(object)
    t.deepEqual(encodeObject(object, kind.type), once, 'applying defaults twice')
    t.is(JSON.stringify(encodeObject(once, kind.type)), JSON.stringify(once), 'encoding twice')
    const decoded = decodeBody(JSON.stringify(once), 'json', kind, 'Strict')
    t.true(decoded.ok)
    if (!decoded.ok) return
    t.is(JSON.stringify(encodeObject(decoded.value.object, kind.type)), JSON.stringify(once), 'decode(encode(x)) = x')
    t.deepEqual(texts(validateCreate(kind, decoded.value.object)), [])
  })

  test(`${label}: an update that changes nothing is accepted`, t => {
    const current = prepared(kind, good)
    const next = structuredClone(current)
    kind.prepareForUpdate?.(next, current)
    kind.applyDefaults?.(next)
    t.deepEqual(texts(validateUpdate(kind, next, current)), [])
    t.is(JSON.stringify(encodeObject(next, kind.type)), JSON.stringify(encodeObject(current, kind.type)))
  })

  test(`${label}: columns and selectable fields come of any object`, t => {
    for (const body of [good, { metadata: { name: 'bare' } }]) {
      const decoded = decodeBody(JSON.stringify(body), 'json', kind, 'Strict')
      t.true(decoded.ok)
      if (!decoded.ok) return
      const { object } = decoded.value
      for (const column of kind.columns) {
        const cell = column.value(object, Date.UTC(2031, 1, 1))
        t.true(cell === null || ['boolean', 'string', 'number'].includes(typeof cell), column.name)
      }
      t.deepEqual(Object.keys(kind.selectableFields?.(object) ?? {}), [...(kind.selectableFieldNames ?? [])])
      for (const value of Object.values(kind.selectableFields?.(object) ?? {})) t.is(typeof value, 'string')
    }
  })

  test(`${label}: a name that is none is refused`, t => {
    const errors = texts(validateCreate(kind, prepared(kind, { ...good, metadata: { name: 'not/a Name' } })))
    t.true(
      errors.some(text => text.startsWith('metadata.name: Invalid value: "not/a Name": ')),
      errors.join('\n'),
    )
  })
}

interface CorpusCase {
  readonly objects?: Record<string, unknown[]>
}

test('every object of the conformance corpus is decoded strictly and accepted', t => {
  const corpus = JSON.parse(readFileSync('test/conformance/cases.json', 'utf8')) as {
    objects: unknown
    cases: CorpusCase[]
  }
  const found: Record<string, unknown>[] = []
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('kind' in value && 'apiVersion' in value) found.push(value as Record<string, unknown>)
    else for (const inner of Object.values(value)) collect(inner)
  }
  collect(corpus.objects)
  collect(corpus.cases)
  let checked = 0
  for (const body of found) {
    const kind = KINDS.find(candidate => candidate.kind === body.kind && apiVersionOf(candidate) === body.apiVersion)
    if (!kind) continue
    const label = `${body.kind} ${(body.metadata as { name?: string }).name}`
    const object = prepared(kind, body)
    t.deepEqual(texts(validateCreate(kind, object)), [], label)
    checked++
  }
  t.true(checked > 20, `${checked} objects`)
})
