import test from 'ava'
import { warningHeaders } from '#cluster/apiserver/http/warnings.ts'
import { startApiserver } from '../../../support/apiserver.ts'

const headersOf = (...texts: string[]) => warningHeaders(texts).warning

test('few warnings are told whole, many or long ones as far as clients read', t => {
  t.is(headersOf(), undefined)
  t.deepEqual(headersOf('a "b"', 'c\nd\u007f'), ['299 - "a \\"b\\""', '299 - "c d "'])
  t.is(headersOf('x'.repeat(4096))![0]!.length, 4096 + 8)
  const many = headersOf(...Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(1000)}`))!
  t.is(many.length, 16)
  t.true(many.every(({ length }) => length === 256 + 8))
})

test('a warning that quotes what a header cannot say does not break the answer', async t => {
  const { fetch } = await startApiserver(t)
  const path = '/api/v1/namespaces/default/configmaps?fieldValidation=Warn'
  const { code, headers } = await fetch(path, { method: 'POST', body: { metadata: { name: 'a' }, '日本\u007f': 1 } })
  t.is(code, 201)
  t.is(Buffer.from(String(headers.warning), 'latin1').toString(), '299 - "unknown field \\"日本 \\""')
})
