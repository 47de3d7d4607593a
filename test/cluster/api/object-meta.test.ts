import test from 'ava'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import type { ObjectMeta } from '#cluster/api/object.ts'
import { validateMetadata, validateMetadataUpdate } from '#cluster/api/object-meta.ts'
import { texts } from '../../support/api-objects.ts'

const KEY =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const good: ObjectMeta = { name: 'a', namespace: 'n' }
const owner = (rest: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', ...rest })

const cases: readonly [string, ObjectMeta, readonly string[]][] = [
  [
    'good',
    {
      ...good,
      labels: { 'example.com/a': 'b', c: '' },
      annotations: { 'Example.com/A': 'anything\n' },
      finalizers: ['example.com/x'],
    },
    [],
  ],
  ['no name', { namespace: 'n' }, ['metadata.name: Required value: name or generateName is required']],
  ['no namespace', { name: 'a' }, ['metadata.namespace: Required value']],
  [
    'owners of fields with names that are none',
    {
      ...good,
      managedFields: [
        { manager: 'kubectl edit' },
        { manager: 'é'.repeat(65) },
        { manager: 'a\u00a0b', subresource: 's'.repeat(257) },
      ],
    },
    [
      'metadata.managedFields[1].manager: Too long: may not be more than 128 bytes',
      'metadata.managedFields[2].manager: Invalid value: "a\u00a0b": invalid character U+00A0 (at position 1)',
      'metadata.managedFields[2].subresource: Too long: may not be more than 256 bytes',
    ],
  ],
  [
    'a name of 254 bytes',
    { ...good, name: 'a'.repeat(254) },
    [`metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 bytes`],
  ],
  ['a generated name’s start', { ...good, generateName: 'a-' }, []],
  [
    'a start that is none',
    { ...good, generateName: 'A' },
    [
      "metadata.generateName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [
    'a label key with spaces',
    { ...good, labels: { 'a b': '' } },
    [`metadata.labels: Invalid value: "a b": name part ${KEY}`],
  ],
  [
    'a label key of three parts',
    { ...good, labels: { 'a/b/c': '' } },
    [
      `metadata.labels: Invalid value: "a/b/c": a valid label key ${KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  ],
  [
    'a label key without prefix or name',
    { ...good, labels: { '/': '' } },
    [
      'metadata.labels: Invalid value: "/": prefix part must be non-empty',
      'metadata.labels: Invalid value: "/": name part must be non-empty',
      `metadata.labels: Invalid value: "/": name part ${KEY}`,
    ],
  ],
  [
    'a label value of 64 bytes',
    { ...good, labels: { a: 'x'.repeat(64) } },
    [`metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`],
  ],
  ['annotations of 256 KiB', { ...good, annotations: { a: 'x'.repeat(256 * 1024 - 1) } }, []],
  [
    'annotations above 256 KiB',
    { ...good, annotations: { a: 'x'.repeat(256 * 1024) } },
    ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  [
    'a finalizer that is none',
    { ...good, finalizers: ['a b'] },
    [
      `metadata.finalizers: Invalid value: "a b": name part ${KEY}`,
      'metadata.finalizers[0]: Invalid value: "a b": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  ["Kubernetes's own finalizers have no domain", { ...good, finalizers: ['kubernetes', 'orphan', 'a.b/c'] }, []],
  [
    'finalizers that contradict',
    { ...good, finalizers: ['orphan', 'foregroundDeletion'] },
    [
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ],
  [
    'an owner without anything',
    { ...good, ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] },
    [
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ],
  ],
  [
    'an event as owner',
    { ...good, ownerReferences: [owner({ kind: 'Event' })] },
    [
      'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"p","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  ],
]

for (const [title, metadata, expected] of cases) {
  test(title, t => t.deepEqual(texts(validateMetadata(configMapKind, metadata)), [...expected]))
}

test('two controllers are one too many', t => {
  const ownerReferences = [owner({ controller: true }), owner({ name: 'q', uid: 'v', controller: true })]
  t.regex(
    texts(validateMetadata(configMapKind, { ...good, ownerReferences }))[0] ?? '',
    /Only one reference can have Controller set to true. Found "true" in references for Pod\/p and Pod\/q$/,
  )
})

test('what belongs to no namespace has none', t => {
  t.deepEqual(texts(validateMetadata(namespaceKind, good)), ['metadata.namespace: Forbidden: not allowed on this type'])
})

test('what does not change', t => {
  const current: ObjectMeta = { ...good, uid: 'u', creationTimestamp: '2031-01-01T00:00:00Z' }
  t.deepEqual(validateMetadataUpdate({ ...current, labels: { a: 'b' } }, current), [])
  t.deepEqual(texts(validateMetadataUpdate({ ...current, uid: 'v', name: 'b' }, current)), [
    'metadata.name: Invalid value: "b": field is immutable',
    'metadata.uid: Invalid value: "v": field is immutable',
  ])
})

test('what is going gets no new finalizers', t => {
  const current: ObjectMeta = { ...good, deletionTimestamp: '2031-01-01T00:00:00Z', finalizers: ['a/x', 'b/x'] }
  t.deepEqual(validateMetadataUpdate({ ...current, finalizers: ['b/x'] }, current), [])
  t.deepEqual(texts(validateMetadataUpdate({ ...current, finalizers: ['b/x', 'd/x', 'c/x'] }, current)), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/x", "d/x"}',
  ])
})
