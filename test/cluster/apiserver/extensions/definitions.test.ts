import test from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crontabs.stable.example.com' },
  spec: { group: 'stable.example.com', scope: 'Namespaced', names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
    versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.labelSelector' } },
      additionalPrinterColumns: [{ name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' }, { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', required: ['cronSpec'], properties: { cronSpec: { type: 'string', pattern: '^\\S+ \\S+$' }, image: { type: 'string' }, replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 } }, 'x-kubernetes-validations': [{ rule: 'self.replicas < 9', message: 'too many' }] }, status: { type: 'object', properties: { replicas: { type: 'integer' }, labelSelector: { type: 'string' } } } } } } }] },
}
test('probe', async t => {
  const s = await startApiserver(t)
  const t0 = performance.now()
  const created = await s.fetch('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { method: 'POST', body: CRD })
  t.log(created.code, JSON.stringify(created.json).slice(0, 1500))
  let d: any
  for (let i = 0; i < 100; i++) { d = (await s.fetch('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.stable.example.com')).json; if (d.status?.conditions?.some((c: any) => c.type === 'Established' && c.status === 'True')) break }
  t.log(performance.now() - t0, JSON.stringify(d.status))
  const P = '/apis/stable.example.com/v1/namespaces/default/crontabs'
  const show = (r: any) => t.log(r.code, r.text.slice(0, 900))
  show(await s.fetch(P, { method: 'POST', body: { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'a' }, spec: { cronSpec: 'x y', foo: 1 }, bar: 2 } }))
  show(await s.fetch(P, { method: 'POST', body: { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'b' }, spec: { cronSpec: 'xy', replicas: 20 } } }))
  show(await s.fetch(P, { method: 'POST', body: { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'b' }, spec: { cronSpec: 'x y', replicas: 9 } } }))
  show(await s.fetch(P))
  show(await s.fetch(P, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } }))
  show(await s.fetch(`${P}/a/scale`))
  show(await s.fetch('/apis/stable.example.com/v1'))
  show(await s.fetch('/openapi/v3/apis/stable.example.com/v1'))
  show(await s.fetch('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.stable.example.com', { method: 'DELETE' }))
  await new Promise(r => setTimeout(r, 300))
  show(await s.fetch('/apis/apiextensions.k8s.io/v1/customresourcedefinitions'))
  show(await s.fetch(P))
  t.pass()
})
