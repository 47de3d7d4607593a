import test from 'ava'
import { packEndpoints } from '#watcher/packed-endpoints.ts'
import type { View } from '#watcher/view.ts'
import { endpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { namespaceView } from '#watcher/views/namespace.ts'
import { podView } from '#watcher/views/pod.ts'
import { serviceView } from '#watcher/views/service.ts'
import { serviceImportView } from '#watcher/views/service-import.ts'

const metadata = { namespace: 'n', name: 'a', resourceVersion: '7' }
const noHints = { zoneHints: '', nodeHints: '' }
const hints = { forZones: [{ name: 'a' }, { name: 'b' }], forNodes: [{ name: 'n' }] }

interface Case {
  readonly name: string
  readonly view: View<unknown>
  readonly raw: object
  /** The fields that matter here. */
  readonly expected: object
}

const CASES: readonly Case[] = [
  {
    name: 'a Service keeps addresses and ports, protocols in lower case',
    view: serviceView,
    raw: {
      metadata: { ...metadata, labels: { l: 'v' }, managedFields: [{}] },
      spec: { clusterIPs: ['10.96.0.1', 'fd00::1'], ports: [{ name: 'x', protocol: 'UDP', port: 53 }, { port: 80 }] },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }] } },
    },
    expected: {
      namespace: 'n',
      name: 'a',
      type: 'ClusterIP',
      clusterIPs: ['10.96.0.1', 'fd00::1'],
      headless: false,
      externalName: '',
      ports: [
        { name: 'x', protocol: 'udp', port: 53 },
        { name: '', protocol: 'tcp', port: 80 },
      ],
      externalIPs: [],
      ingress: [
        { ip: '192.0.2.1', hostname: '' },
        { ip: '', hostname: 'lb.example' },
      ],
      resourceVersion: '7',
    },
  },
  {
    name: 'a Service from before dual stack has one address',
    view: serviceView,
    raw: { metadata, spec: { clusterIP: '10.96.0.9' } },
    expected: { clusterIPs: ['10.96.0.9'], headless: false },
  },
  {
    name: 'a headless Service has no address',
    view: serviceView,
    raw: { metadata, spec: { clusterIP: 'None', clusterIPs: ['None'] } },
    expected: { clusterIPs: [], headless: true },
  },
  {
    name: 'an ExternalName Service has a name, and addresses left over do not count',
    view: serviceView,
    raw: { metadata, spec: { type: 'ExternalName', externalName: 'Example.com', clusterIPs: ['10.96.0.1'] } },
    expected: { type: 'ExternalName', externalName: 'Example.com', clusterIPs: [], headless: false },
  },
  {
    name: 'an EndpointSlice: absent readiness is ready, only pods have a pod name, ports need a number',
    view: endpointSliceView({ podNames: true, zones: true, hints: true, serving: false }),
    raw: {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 's' } },
      addressType: 'IPv6',
      endpoints: [
        { addresses: ['fd00::1'], hostname: 'h', targetRef: { kind: 'Pod', name: 'p' }, zone: 'z' },
        { addresses: ['fd00::2'], conditions: { ready: false }, targetRef: { kind: 'Node', name: 'x' }, hints },
        { conditions: { ready: null } },
      ],
      ports: [{ name: 'x', port: 1, protocol: 'SCTP' }, { name: 'all' }, { name: 'none', port: null }],
    },
    expected: {
      serviceName: 's',
      addressType: 'IPv6',
      endpoints: packEndpoints([
        { addresses: ['fd00::1'], hostname: 'h', podName: 'p', ready: true, zone: 'z', ...noHints },
        { addresses: ['fd00::2'], hostname: '', podName: '', ready: false, zone: '', zoneHints: 'a b', nodeHints: 'n' },
        { addresses: [], hostname: '', podName: '', ready: true, zone: '', ...noHints },
      ]),
      ports: [{ name: 'x', protocol: 'sctp', port: 1 }],
      importedService: '',
    },
  },
  ...[false, true].map(serving => ({
    name: `an endpoint that shuts down and serves is ${serving ? '' : 'not '}ready where ${serving ? '' : 'not '}wanted`,
    view: endpointSliceView({ podNames: false, zones: false, hints: false, serving }),
    raw: {
      metadata,
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ['10.0.0.2'], conditions: { ready: false, serving: false, terminating: true } },
        { addresses: ['10.0.0.3'], conditions: { ready: false, serving: false } },
      ],
    },
    expected: {
      endpoints: packEndpoints(
        [serving, false, false].map((ready, index) => ({
          addresses: [`10.0.0.${index + 1}`],
          hostname: '',
          podName: '',
          ready,
          zone: '',
          ...noHints,
        })),
      ),
    },
  })),
  {
    name: 'a Pod has each of its addresses once',
    view: podView,
    raw: {
      metadata,
      status: { phase: 'Running', podIP: '10.244.0.1', podIPs: [{ ip: '10.244.0.1' }, { ip: 'fd00::1' }] },
    },
    expected: { addresses: ['10.244.0.1', 'fd00::1'], hostNetwork: false },
  },
  {
    name: 'a Pod that has ended has none',
    view: podView,
    raw: { metadata, status: { phase: 'Succeeded', podIP: '10.244.0.1' } },
    expected: { addresses: [] },
  },
  {
    name: 'a Pod that is being deleted has none',
    view: podView,
    raw: { metadata: { ...metadata, deletionTimestamp: 'now' }, status: { phase: 'Running', podIP: '10.244.0.1' } },
    expected: { addresses: [] },
  },
  {
    name: 'a Namespace has labels',
    view: namespaceView,
    raw: { metadata: { name: 'n', uid: 'u', labels: { a: 'b' } } },
    expected: { name: 'n', uid: '', labels: { a: 'b' }, resourceVersion: '' },
  },
  {
    name: 'the Namespace kube-system tells one cluster from another',
    view: namespaceView,
    raw: { metadata: { name: 'kube-system', uid: 'u' } },
    expected: { uid: 'u' },
  },
  {
    name: 'a ServiceImport says whether it is headless',
    view: serviceImportView,
    raw: { metadata, spec: { type: 'Headless', ports: [{ port: 80 }] } },
    expected: { headless: true, ips: [], ports: [{ name: '', protocol: 'tcp', port: 80 }] },
  },
]

for (const { name, view, raw, expected } of CASES) {
  test(name, t => t.like(view.strip(raw as Readonly<Record<string, unknown>>) as object, expected))
}
