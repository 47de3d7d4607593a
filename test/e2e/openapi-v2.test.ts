/** /openapi/v2 as clients take it: kubectl reads it as protobuf, others as JSON. */
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { SWAGGER_PROTOBUF, SWAGGER_PROTOBUF_ASKED } from '#cluster/api/openapi/swagger-protobuf.ts'
import { startApiserver } from '../support/apiserver.ts'
import { kubectl } from '../support/kubectl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('kubectl explains from the protobuf of OpenAPI v2', async t => {
  const { kubeconfig } = await startApiserver(t)
  const home = temporaryFolder(t)
  const explain = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(['explain', '--output', 'plaintext-openapiv2', ...args], {
      kubeconfig,
      home,
    })
    t.is(code, 0, stderr)
    return stdout
  }
  const port = await explain('service.spec.ports')
  t.regex(port, /KIND:\s+Service\nVERSION:\s+v1\n/)
  t.regex(port, /RESOURCE: ports <\[\]Object>/)
  t.regex(port, /\n\s+targetPort\s+<string>\n/)
  t.regex(port, /\n\s+port\s+<integer> -required-\n/)
  const deployment = await explain('deployment', '--recursive')
  t.regex(deployment, /\n\s+containers\s+<\[\]Object>[^\n]*\n/)
  t.regex(deployment, /\n\s+limits\s+<map\[string\]string>\n/)
})

test('by ETag and gzip, as JSON or protobuf', async t => {
  const { fetch } = await startApiserver(t)
  const plain = await fetch('/openapi/v2')
  t.deepEqual([plain.code, plain.headers['content-type'], plain.json.swagger], [200, 'application/json', '2.0'])
  t.is(plain.headers.etag, `"${createHash('sha256').update(plain.body).digest('hex').toUpperCase()}"`)
  const headers = { accept: SWAGGER_PROTOBUF_ASKED, 'accept-encoding': 'gzip' }
  const packed = await fetch('/openapi/v2', { headers })
  t.deepEqual([packed.headers['content-type'], packed.headers['content-encoding']], [SWAGGER_PROTOBUF, 'gzip'])
  t.true(gunzipSync(packed.body).includes('io.k8s.api.core.v1.ServiceSpec'))
  t.not(packed.headers.etag, plain.headers.etag)
  const again = await fetch('/openapi/v2', { headers: { ...headers, 'if-none-match': packed.headers.etag ?? '' } })
  t.deepEqual([again.code, again.text], [304, ''])
  t.is((await fetch('/openapi/v2', { headers: { accept: 'text/html' } })).code, 406)
  t.is((await fetch('/openapi/v2', { method: 'POST', body: {} })).code, 405)
})
