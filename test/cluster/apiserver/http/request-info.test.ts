import test from 'ava'
import { parseResourcePath } from '#cluster/apiserver/http/request-info.ts'

const CASES: [path: string, expected: string | undefined][] = [
  ['/api/v1/pods', ' v1 pods - - -'],
  ['/api/v1/namespaces', ' v1 namespaces - - -'],
  ['/api/v1/namespaces/a', ' v1 namespaces - a -'],
  ['/api/v1/namespaces/a/status', ' v1 namespaces - a status'],
  ['/api/v1/namespaces/a/finalize', ' v1 namespaces - a finalize'],
  ['/api/v1/namespaces/a/pods', ' v1 pods a - -'],
  ['/api/v1/namespaces/a/pods/', ' v1 pods a - -'],
  ['/api/v1/namespaces/a/pods/p', ' v1 pods a p -'],
  ['/api/v1/namespaces/a/pods/p/status', ' v1 pods a p status'],
  ['/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/e', 'discovery.k8s.io v1 endpointslices a e -'],
  ['/api/v1/watch/namespaces/a/pods/p', ' v1 pods a p - watch'],
  ['/api/v1/namespaces/a/pods/p%2Fq', ' v1 pods a p q'],
  ['/api/v1/namespaces/a%2fpods/p%3Aq', ' v1 pods a p:q -'],
  ['/api/v1', undefined],
  ['/apis/discovery.k8s.io', undefined],
  ['/api/v1/namespaces/a/pods/p/status/more', ' v1 pods a p status …'],
  ['/api/v1//pods', ' v1  - pods - …'],
  ['/api/v1/namespaces//pods/p', ' v1 pods  p - …'],
  ['/apis//v1/pods', ' v1 pods - - - …'],
  ['/api/v1/%zz', undefined],
  ['/healthz', undefined],
]

test('paths are read as Kubernetes reads them', t => {
  for (const [path, expected] of CASES) {
    const info = parseResourcePath(path)
    const {
      group,
      version,
      resource,
      namespace = '-',
      name = '-',
      subresource = '-',
      watch,
      onlyElsewhere,
    } = info ?? {}
    const text = `${group} ${version} ${resource} ${namespace} ${name} ${subresource}${watch ? ' watch' : ''}${onlyElsewhere ? ' …' : ''}`
    t.is(info && text, expected, path)
  }
})
