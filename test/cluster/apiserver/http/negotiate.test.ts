import test from 'ava'
import { bodySyntax, type Negotiated, negotiate, wantsIndented } from '#cluster/apiserver/http/negotiate.ts'

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
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'json Table v1beta1'],
  ['application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io', 'json PartialObjectMetadata v1beta1'],
  ['application/json;v=v1', undefined],
  ['application/json;stream=watch', 'json object'],
  ['application/json;stream=else', undefined],
  ['application/json;sv=v1', 'json object'],
  ['application/json;sv=v2,application/yaml', 'yaml object'],
  ['*/*, application/yaml', 'yaml object'],
  ['application/*, application/yaml;q=0.9', 'json object'],
  [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'json Table'],
  ['application/vnd.kubernetes.protobuf,application/json', 'json object'],
]

const told = ({ syntax, shape, version }: Negotiated): string =>
  `${syntax} ${shape}${version === 'v1' ? '' : ` ${version}`}`

test('the first form that is wanted and can be given', t => {
  for (const [accept, expected] of CASES) {
    const verdict = negotiate(accept)
    t.is(verdict.ok ? told(verdict.value) : undefined, expected, accept)
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
    [`${wanted};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1,application/json`, 'json object'],
    [`${wanted};as=Table;g=meta.k8s.io;v=v1,${TABLE}`, 'json Table'],
  ]
  for (const [accept, expected] of cases) {
    const verdict = negotiate(accept, { protobuf: true })
    t.is(verdict.ok ? `${verdict.value.syntax} ${verdict.value.shape}` : undefined, expected, accept)
  }
})

test('streams are no YAML', t => {
  t.true(negotiate('application/json;stream=watch', { watch: true }).ok)
  const refusal = (accept: string) => {
    const verdict = negotiate(accept, { watch: true })
    return verdict.ok ? undefined : verdict.problem.message
  }
  const only = 'only the following media types are accepted: '
  const protobuf = 'application/vnd.kubernetes.protobuf'
  t.is(refusal('application/yaml'), `${only}application/json;stream=watch, ${protobuf};stream=watch`)
  t.is(refusal('text/html'), `${only}application/json, application/yaml, ${protobuf}`)
})

test('JSON is indented for who says so of the JSON that is given', t => {
  const cases: [accept: string | undefined, expected: boolean][] = [
    [undefined, false],
    ['application/json', false],
    ['application/json;pretty=1', true],
    ['application/json;pretty=true', false],
    ['*/*;pretty=1', true],
    ['application/json;as=Nothing;pretty=1, application/json', false],
    ['application/json, application/json;pretty=1', false],
    ['application/json;q=0.5, application/json;q=0.9;pretty=1', true],
  ]
  for (const [accept, expected] of cases) t.is(wantsIndented(accept), expected, accept)
})

test('bodies', t => {
  for (const type of [undefined, 'application/json', 'application/json; charset=utf-8', 'application/yaml'])
    t.true(bodySyntax(type).ok, type)
  const verdict = bodySyntax('text/plain')
  t.is(verdict.ok ? 0 : verdict.problem.code, 415)
})
