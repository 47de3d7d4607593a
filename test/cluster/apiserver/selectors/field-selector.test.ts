import test from 'ava'
import { jobKind } from '#cluster/api/kinds/job.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { replicaSetKind } from '#cluster/api/kinds/replica-set.ts'
import { matchesFields, parseFieldSelector } from '#cluster/apiserver/selectors/field-selector.ts'

const FIELDS = { 'metadata.name': 'a', 'metadata.namespace': 'n', 'status.phase': 'Running', 'spec.nodeName': '' }

const MATCHES: [selector: string, expected: boolean][] = [
  ['', true],
  ['metadata.name=a', true],
  ['metadata.name==a', true],
  ['metadata.name!=a', false],
  ['metadata.name=a,status.phase=Running', true],
  ['metadata.name=a,status.phase!=Running', false],
  ['spec.nodeName=', true],
  ['spec.nodeName!=', false],
  ['metadata.name=a\\,b', false],
]

test('what matches', t => {
  for (const [text, expected] of MATCHES) {
    const parsed = parseFieldSelector(podKind, text)
    t.true(parsed.ok, text)
    if (parsed.ok) t.is(matchesFields(parsed.value, FIELDS), expected, text)
  }
})

test('an escaped value is the value', t => {
  const parsed = parseFieldSelector(podKind, 'metadata.name=a\\,b\\=c\\\\d')
  t.true(parsed.ok && matchesFields(parsed.value, { 'metadata.name': 'a,b=c\\d' }))
})

test('what is refused', t => {
  const problemOf = (text: string, kind = podKind) => {
    const parsed = parseFieldSelector(kind, text)
    return parsed.ok ? undefined : parsed.problem
  }
  t.is(problemOf('spec.foo=1'), 'field label not supported: spec.foo')
  t.is(problemOf('x=1', jobKind), 'field label "x" not supported for Job')
  const others = 'is not a known field selector: only "metadata.name", "metadata.namespace"'
  t.is(problemOf('status.replicas=1', replicaSetKind), `"status.replicas" ${others}`)
  t.is(problemOf('status.podIPs='), undefined)
  t.is(problemOf('status.phase'), "invalid selector: 'status.phase'; can't understand 'status.phase'")
  t.is(problemOf('metadata.namespace=a', namespaceKind), 'field label not supported: metadata.namespace')
  t.regex(problemOf('metadata.name=a\\x') ?? '', /invalid escape sequence/)
  t.regex(problemOf('metadata.name=a=b') ?? '', /unescaped character/)
})
