/** Indented JSON for people: the same document, the same text where Go would print the same. */
import test from 'ava'
import fc from 'fast-check'
import { indentJson } from '#cluster/apiserver/http/pretty.ts'
import { startApiserver } from '../../../support/apiserver.ts'

test('what is indented is what JSON.stringify indents', t => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, 4), (value, given) => {
      const indented = indentJson(JSON.stringify(value, null, given))
      t.is(indented, JSON.stringify(value, null, 2))
      t.is(indentJson(indented), indented)
    }),
  )
})

test('numbers stay as they are written', t => {
  t.is(indentJson('{"a":12345678901234567890,"b":1.0}'), '{\n  "a": 12345678901234567890,\n  "b": 1.0\n}')
})

const CONFIG = '/api/v1/namespaces/default/configmaps'

test('curl, Wget and browsers are given it, others where they ask, watches and OpenAPI never', async t => {
  const server = await startApiserver(t)
  const lines = async (path: string, agent = 'kubectl/v1.35.0', headers: Record<string, string> = {}) => {
    const { text, headers: told } = await server.fetch(path, { headers: { 'user-agent': agent, ...headers } })
    t.is(Number(told['content-length']), Buffer.byteLength(text))
    return text.split('\n').length
  }
  const some = `${CONFIG}/kube-root-ca.crt`
  t.is(await lines(CONFIG), 1)
  for (const agent of ['curl/8.5.0', 'Wget/1.21', 'Mozilla/5.0 (X11; Linux x86_64)']) {
    t.true((await lines(CONFIG, agent)) > 5, agent)
    t.is(await lines(`${CONFIG}?pretty=0`, agent), 1)
  }
  for (const yes of ['1', 't', 'true', 'TRUE']) t.true((await lines(`${CONFIG}?pretty=${yes}`)) > 5)
  t.is(await lines(`${CONFIG}?pretty=yes`), 1)
  t.true((await lines(`${some}x`, 'curl/8.5.0')) > 5, 'a Status')
  t.true((await lines('/apis', 'curl/8.5.0')) > 5, 'discovery')
  t.is(await lines('/openapi/v3', 'curl/8.5.0'), 1)
  for (const query of ['', '?pretty=0'])
    t.true((await lines(`${CONFIG}${query}`, 'kubectl', { accept: 'application/json;pretty=1' })) > 5)
  t.is(await lines(CONFIG, 'kubectl', { accept: 'application/json;pretty=0' }), 1)
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  t.true((await lines(CONFIG, 'curl/8.5.0', { accept: table })) > 5)
  const made = await server.fetch(`${CONFIG}?pretty=true`, { method: 'POST', body: { metadata: { name: 'p' } } })
  t.regex(made.text, /^{\n {2}"kind": "ConfigMap",\n/)
  const watched = await server.fetch(`${CONFIG}?watch=1&timeoutSeconds=1&pretty=true`)
  for (const line of watched.text.trim().split('\n')) t.is(JSON.parse(line).type, 'ADDED')
})
