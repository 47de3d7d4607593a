import test from 'ava'
import { type BodySyntax, decodeBody, decodePatched, type FieldValidation } from '#cluster/api/decode.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'

const decode = (
  body: unknown,
  validation: FieldValidation = 'Strict',
  kind = serviceKind,
  syntax: BodySyntax = 'json',
) => decodeBody(typeof body === 'string' ? body : JSON.stringify(body), syntax, kind, validation)

const IN_SERVICE = 'Service in version "v1" cannot be handled as a Service: '

const refusals: readonly [string, unknown, string][] = [
  [
    'a string where a number belongs',
    { spec: { ports: [{ port: '80' }] } },
    `${IN_SERVICE}json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32`,
  ],
  [
    'a fraction',
    { spec: { ports: [{ port: 1.5 }] } },
    `${IN_SERVICE}json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32`,
  ],
  [
    'a number too large',
    { spec: { ports: [{ port: 2147483648 }] } },
    `${IN_SERVICE}json: cannot unmarshal number 2147483648 into Go struct field ServicePort.spec.ports.port of type int32`,
  ],
  [
    'a number where a string belongs',
    { spec: { clusterIP: 1 } },
    `${IN_SERVICE}json: cannot unmarshal number into Go struct field ServiceSpec.spec.clusterIP of type string`,
  ],
  [
    'a number where a named string belongs',
    { spec: { type: 1 } },
    `${IN_SERVICE}json: cannot unmarshal number into Go struct field ServiceSpec.spec.type of type v1.ServiceType`,
  ],
  [
    'a boolean label',
    { metadata: { labels: { a: true } } },
    `${IN_SERVICE}json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string`,
  ],
  [
    'an object where a list belongs',
    { spec: { ports: {} } },
    `${IN_SERVICE}json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort`,
  ],
  [
    'a list where an object belongs',
    { spec: [] },
    `${IN_SERVICE}json: cannot unmarshal array into Go struct field Service.spec of type v1.ServiceSpec`,
  ],
  [
    'a string where a map belongs',
    { metadata: { labels: 'x' } },
    `${IN_SERVICE}json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string`,
  ],
  [
    'an object where number or string belongs',
    { spec: { ports: [{ targetPort: {} }] } },
    `${IN_SERVICE}json: cannot unmarshal object into Go value of type int32`,
  ],
  [
    'a time that is none',
    { metadata: { creationTimestamp: 'yesterday' } },
    `${IN_SERVICE}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday"`,
  ],
  ['an unknown field', { spec: { foo: 1 } }, `${IN_SERVICE}strict decoding error: unknown field "spec.foo"`],
  [
    'unknown fields in lists and at the root',
    { spec: { ports: [{ port: 1 }, { prot: 1 }] }, bar: 1 },
    `${IN_SERVICE}strict decoding error: unknown field "spec.ports[1].prot", unknown field "bar"`,
  ],
  [
    'another case',
    { spec: { ClusterIP: 'None' } },
    `${IN_SERVICE}strict decoding error: unknown field "spec.ClusterIP"`,
  ],
  [
    'a repeated field',
    '{"spec":{"type":"NodePort","ports":[],"ports":[]}}',
    `${IN_SERVICE}strict decoding error: duplicate field "spec.ports"`,
  ],
  [
    'a repeated field in a list',
    '{"spec":{"ports":[{"port":1},{"port":1,"port":2}]}}',
    `${IN_SERVICE}strict decoding error: duplicate field "spec.ports[1].port"`,
  ],
  [
    'another kind',
    { kind: 'Pod' },
    'Pod in version "v1" cannot be handled as a Service: no kind "Pod" is served at services',
  ],
  [
    'another version',
    { apiVersion: 'v2' },
    'the API version in the data (v2) does not match the expected API version (v1)',
  ],
  [
    'an empty body',
    '',
    `the object provided is unrecognized (must be of type Service): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
  ],
  [
    'a list',
    '[]',
    `the object provided is unrecognized (must be of type Service): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
  ],
]

for (const [title, body, message] of refusals) {
  test(`${title} is a 400`, t => {
    const result = decode(body)
    t.false(result.ok)
    if (result.ok) return
    t.is(result.problem.code, 400)
    t.is(result.problem.message, message)
  })
}

test('quantities and bytes have errors of their own', t => {
  const pod = decode(
    { spec: { containers: [{ name: 'a', resources: { limits: { cpu: 'much' } } }] } },
    'Strict',
    podKind,
  )
  t.false(pod.ok)
  if (!pod.ok) t.regex(pod.problem.message ?? '', /quantities must match the regular expression/)
  const map = decode({ binaryData: { a: '%%%' } }, 'Strict', configMapKind)
  t.false(map.ok)
  if (!map.ok) t.regex(map.problem.message ?? '', /illegal base64 data at input byte 0/)
})

test('what strictness refuses, Warn tells and Ignore drops', t => {
  const body = '{"spec":{"foo":1,"type":"ClusterIP","type":"NodePort"}}'
  const warned = decode(body, 'Warn')
  t.true(warned.ok)
  if (warned.ok) {
    t.deepEqual(warned.value.warnings, ['duplicate field "spec.type"', 'unknown field "spec.foo"'])
    t.deepEqual(warned.value.object.spec, { type: 'NodePort' })
  }
  const ignored = decode(body, 'Ignore')
  t.true(ignored.ok)
  if (ignored.ok) t.deepEqual(ignored.value.warnings, [])
})

test('null means absent, and absent apiVersion and kind mean what the path says', t => {
  const result = decode({ metadata: { name: 'a', labels: null }, spec: { ports: null, selector: { a: null } } })
  t.true(result.ok)
  if (result.ok) {
    t.deepEqual(result.value.object, {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'a' },
      spec: { selector: { a: '' } },
    })
  }
})

test('keys with a meaning to JavaScript are keys', t => {
  const result = decode('{"data":{"__proto__":"x","constructor":"y"}}', 'Strict', configMapKind)
  t.true(result.ok)
  if (result.ok) t.is(JSON.stringify(result.value.object.data), '{"__proto__":"x","constructor":"y"}')
  t.is(({} as Record<string, unknown>).x, undefined)
  const unknown = decode('{"__proto__":{"polluted":true}}', 'Strict', configMapKind)
  t.false(unknown.ok)
})

test('times and quantities come out as Kubernetes prints them', t => {
  const result = decode(
    {
      metadata: { creationTimestamp: '2031-05-01T14:00:00.5+02:00' },
      spec: { containers: [{ name: 'a', resources: { limits: { cpu: '0.5', memory: 1073741824 } } }] },
    },
    'Strict',
    podKind,
  )
  t.true(result.ok)
  if (!result.ok) return
  t.is(result.value.object.metadata.creationTimestamp, '2031-05-01T12:00:00Z')
  t.deepEqual(result.value.object.spec, {
    containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1073741824' } } }],
  })
})

test('YAML is read as Kubernetes reads it, repeated keys included', t => {
  const yaml = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {on: "1"}}
data:
  when: "2031-01-01"
  a: b
  a: c
`
  const strict = decode(yaml, 'Strict', configMapKind, 'yaml')
  t.false(strict.ok)
  if (!strict.ok) t.regex(strict.problem.message ?? '', /duplicate field "data.a"/)
  const warned = decode(yaml, 'Warn', configMapKind, 'yaml')
  t.true(warned.ok)
  if (warned.ok) {
    t.deepEqual(warned.value.object.data, { a: 'c', when: '2031-01-01' })
    t.deepEqual(warned.value.object.metadata.labels, { true: '1' })
  }
  const date = decode('metadata: {creationTimestamp: 2031-05-01T12:00:00Z}', 'Strict', configMapKind, 'yaml')
  t.true(date.ok)
  const octal = decode(
    'spec: {volumes: [{name: a, secret: {secretName: s, defaultMode: 0400}}]}',
    'Strict',
    podKind,
    'yaml',
  )
  t.true(octal.ok)
  if (octal.ok) t.regex(JSON.stringify(octal.value.object), /"defaultMode":256/)
  t.false(decode('a: [', 'Strict', configMapKind, 'yaml').ok)
})

test('a body of brackets is refused in either syntax before anything recurses over it', t => {
  const deep = `{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  for (const syntax of ['json', 'yaml'] as const) t.false(decode(deep, 'Strict', configMapKind, syntax).ok)
})

test('YAML aliases cannot multiply without end', t => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++) lines.push(`a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]`)
  t.false(decode(lines.join('\n'), 'Warn', configMapKind, 'yaml').ok)
})

test('JSON that is called YAML is read as JSON, of any length; other YAML is bounded, and its mistakes are told once', t => {
  const data = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`k${index}`, 'v']))
  const large = JSON.stringify({ metadata: { name: 'a' }, data })
  t.true(large.length > 256 * 1024)
  t.true(decode(large, 'Strict', configMapKind, 'yaml').ok)
  const repeated = decode('{"data": {"a": "1", "a": "2"}}', 'Strict', configMapKind, 'yaml')
  t.regex(repeated.ok ? '' : (repeated.problem.message ?? ''), /duplicate field "data.a"/)
  const flow = decode('{metadata: {name: a}}', 'Strict', configMapKind, 'yaml')
  t.is(flow.ok && flow.value.object.metadata.name, 'a')
  const block = decode(`data:\n${'  k: v\n'.repeat(40_000)}`, 'Warn', configMapKind, 'yaml')
  t.regex(block.ok ? '' : (block.problem.message ?? ''), /more than 262144 characters of YAML: send it as JSON/)
  const tags = decode(`metadata:\n  name: ${'!a '.repeat(80_000)}`, 'Warn', configMapKind, 'yaml')
  t.regex(tags.ok ? '' : (tags.problem.message ?? ''), /A node can have at most one tag at line 2/)
})

test('what a patch made is refused with 422 about the patch', t => {
  const refused = decodePatched({ spec: { foo: 1 } }, serviceKind, 'Strict', ['metadata.labels'])
  t.false(refused.ok)
  if (!refused.ok) {
    t.is(refused.problem.code, 422)
    t.is(refused.problem.details?.causes?.[0]?.field, 'patch')
    t.regex(
      refused.problem.message ?? '',
      /strict decoding error: duplicate field "metadata.labels", unknown field "spec.foo"/,
    )
  }
  const kind = decodePatched({ kind: 'Pod' }, serviceKind, 'Warn', [])
  t.false(kind.ok)
  if (!kind.ok) t.is(kind.problem.code, 400)
})
