import test from 'ava'
import { encodeObject } from '#cluster/api/encode.ts'

const print = (object: Record<string, unknown>, type: string): string => JSON.stringify(encodeObject(object, type))

test('fields stand in the source’s order, maps by key, kind first', t => {
  t.is(
    print(
      {
        metadata: { labels: { b: '1', a: '2' }, name: 'x' },
        apiVersion: 'v1',
        kind: 'ConfigMap',
        data: { z: '1', y: '2' },
      },
      'core/v1.ConfigMap',
    ),
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","labels":{"a":"2","b":"1"}},"data":{"y":"2","z":"1"}}',
  )
})

test('what Kubernetes leaves out, and what it prints though empty', t => {
  t.is(print({ metadata: {} }, 'core/v1.Service'), '{"metadata":{},"spec":{},"status":{"loadBalancer":{}}}')
  t.is(
    print({ metadata: {}, addressType: 'IPv4', endpoints: [] }, 'discovery.k8s.io/v1.EndpointSlice'),
    '{"metadata":{},"addressType":"IPv4","endpoints":null,"ports":null}',
  )
  t.is(
    print({ metadata: {}, involvedObject: {} }, 'core/v1.Event'),
    '{"metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":""}',
  )
  t.is(print({ name: 'v', emptyDir: {} }, 'core/v1.Volume'), '{"name":"v","emptyDir":{}}')
})

test('a pointer’s zero stays, a value’s does not', t => {
  t.is(
    print({ holderIdentity: '', leaseTransitions: 0 }, 'coordination.k8s.io/v1.LeaseSpec'),
    '{"holderIdentity":"","leaseTransitions":0}',
  )
  t.is(
    print(
      { clusterIP: '', publishNotReadyAddresses: false, healthCheckNodePort: 0, externalIPs: [], selector: {} },
      'core/v1.ServiceSpec',
    ),
    '{}',
  )
})

test('structs that omitempty does not leave out', t => {
  t.is(print({ resource: 'limits.cpu' }, 'core/v1.ResourceFieldSelector'), '{"resource":"limits.cpu","divisor":"0"}')
  t.is(print({ port: 80 }, 'core/v1.ServicePort'), '{"port":80,"targetPort":0}')
  t.is(print({ name: 'c' }, 'core/v1.Container'), '{"name":"c","resources":{}}')
})

test('what is not known is dropped, and a map’s own keys are not', t => {
  t.is(
    print({ metadata: {}, foo: 1, data: JSON.parse('{"__proto__":"x"}') }, 'core/v1.ConfigMap'),
    '{"metadata":{},"data":{"__proto__":"x"}}',
  )
})
