import test from 'ava'
import { bodySyntax, negotiate } from '#cluster/apiserver/http/negotiate.ts'

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

// The last two are what kubectl and client-go send.
const CASES: [accept: string | undefined, expected: string | undefined][] = [
  [undefined, 'json object'],
  ['*/*', 'json object'],
  ['application/*', 'json object'],
  ['application/yaml', 'yaml object'],
  ['application/yaml;q=0.5,application/json', 'json object'],
  ['text/html,application/json;q=0.1', 'json object'],
  ['application/json;q=0', undefined],
  ['text/html', undefined],
  ['application/vnd.kubernetes.protobuf', undefined],
  ['application/json;as=Foo;v=v1;g=meta.k8s.io', undefined],
  ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'json object'],
  [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'json Table'],
  ['application/vnd.kubernetes.protobuf,application/json', 'json object'],
]

test('the first form that is wanted and can be given', t => {
  for (const [accept, expected] of CASES) {
    const verdict = negotiate(accept)
    t.is(verdict.ok ? `${verdict.value.syntax} ${verdict.value.shape}` : undefined, expected, accept)
  }
})

test('protobuf, where there is such a form', t => {
  const wanted = 'application/vnd.kubernetes.protobuf'
  const cases: [accept: string, expected: string | undefined][] = [
    [wanted, 'protobuf object'],
    [`${wanted},application/json`, 'protobuf object'],
    [`${wanted};q=0.5,application/json;q=0.9`, 'json object'],
    [`application/json;q=0.8,${wanted};q=0.9`, 'protobuf object'],
    ['*/*', 'json object'],
    [`${wanted};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`, 'protobuf PartialObjectMetadata'],
    [`${wanted};as=Table;g=meta.k8s.io;v=v1`, undefined],
    [`${wanted};as=Table;g=meta.k8s.io;v=v1,${TABLE}`, 'json Table'],
  ]
  for (const [accept, expected] of cases) {
    const verdict = negotiate(accept, { protobuf: true })
    t.is(verdict.ok ? `${verdict.value.syntax} ${verdict.value.shape}` : undefined, expected, accept)
  }
})

test('streams are no YAML', t => {
  t.true(negotiate('application/json;stream=watch', { watch: true }).ok)
  const verdict = negotiate('application/yaml', { watch: true })
  t.is(verdict.ok ? 0 : verdict.problem.code, 406)
})

test('bodies', t => {
  for (const type of [undefined, 'application/json', 'application/json; charset=utf-8', 'application/yaml'])
    t.true(bodySyntax(type).ok, type)
  const verdict = bodySyntax('text/plain')
  t.is(verdict.ok ? 0 : verdict.problem.code, 415)
})
