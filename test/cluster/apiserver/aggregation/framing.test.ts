/** What an extension server hears is one request, the one that was authorised: what is in it asks nothing in another's name. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import test from 'ava'
import type { RunningApiserver } from '../../../support/apiserver.ts'
import { STARS, withExtension } from './world.ts'

const SMUGGLED = `${STARS}/smuggled`
const INNER = `GET ${SMUGGLED} HTTP/1.1\r\nHost: far\r\nX-Remote-User: admin\r\nX-Remote-Group: system:masters\r\n\r\n`

type Ask = (server: RunningApiserver, method: string, path: string, body?: string) => Promise<number>

/** A body of HTTP/1.1 comes in chunks. */
const askHttp1: Ask = async ({ url, tls }, method, path, body) => {
  const chunked = body === undefined ? {} : { 'transfer-encoding': 'chunked' }
  const { hostname, port } = new URL(url)
  const sent = request({ ...tls, hostname, port, path, method, agent: false, headers: chunked }).end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  await text(answer)
  return answer.statusCode ?? 0
}

const askHttp2: Ask = async ({ url, tls }, method, path, body) => {
  const session = connect(url, tls)
  const stream = session.request({ ':method': method, ':path': path }, { endStream: body === undefined }).end(body)
  const [headers] = await once(stream, 'response')
  await text(stream)
  session.close()
  return headers[':status']
}

for (const [name, ask] of Object.entries({ 'HTTP/1.1': askHttp1, 'HTTP/2': askHttp2 }))
  test(`${name}: a body whose length nobody said stays a body`, async t => {
    const { server, extension } = await withExtension(t)
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      await ask(server, method, `${STARS}/sirius`, INNER)
      const heard = extension.requests.filter(each => each.path === `${STARS}/sirius`).at(-1)!
      t.is(heard.method, method)
      t.is(heard.body, INNER)
      await ask(server, method, STARS)
      t.is(extension.requests.filter(each => each.path === STARS).at(-1)!.headers['transfer-encoding'], undefined)
    }
    t.false(extension.requests.some(({ path }) => path === SMUGGLED))
  })

test('HTTP/2: a body that is longer than was said asks for nothing', async t => {
  const { server, extension } = await withExtension(t)
  const session = connect(server.url, server.tls)
  const headers = { ':method': 'DELETE', ':path': `${STARS}/sirius`, 'content-length': 3 }
  const stream = session.request(headers, { endStream: false })
  session.on('error', () => {})
  stream.on('error', () => {})
  stream.end(`abc${INNER}`)
  stream.resume()
  await new Promise(resolve => stream.once('close', resolve))
  session.close()
  t.is((await server.fetch(STARS)).code, 200)
  t.false(extension.requests.some(({ path }) => path === SMUGGLED))
})

test('the path that was authorised is the one that is asked for', async t => {
  const { server, extension } = await withExtension(t)
  const odd = [
    '/apis/far.example.com/v1/namespaces/secret/stars/x/../../../default/stars',
    '/apis/far.example.com/v1/namespaces/secret\\..\\default/stars',
    '//[/../apis/far.example.com/v1/namespaces/default/stars',
    'https://far/apis/far.example.com/v1/namespaces/default/stars',
  ]
  for (const path of odd) {
    t.is(await askHttp1(server, 'GET', `${path}?a=b%20c`), 200, path)
    t.is(extension.requests.at(-1)!.path, `${STARS}?a=b%20c`)
  }
})

test('an answer that changes the protocol unasked is none', async t => {
  const { server } = await withExtension(t)
  t.is(await askHttp1(server, 'GET', `${STARS}/eager`), 503)
})

test('a path that is read differently elsewhere is no way around what somebody may', async t => {
  const { server, extension } = await withExtension(t)
  const nobody = { as: 'nobody', groups: ['system:authenticated'] }
  const version = '/apis/far.example.com/v1'
  t.is((await server.fetch(version, nobody)).code, 200, 'what is there is for all to see')
  const before = extension.requests.length
  const paths = ['/sirius/proxy/a/b', '/sirius/a/b/c/'].map(rest => STARS + rest)
  paths.push(`${version}//stars`, `${version}/namespaces//stars`, `${version}/namespaces/default%2Fstars`)
  for (const path of paths) t.is((await server.fetch(path, nobody)).code, 403, path)
  t.is((await server.fetch(`${version}/%zz/stars`, nobody)).code, 400)
  t.deepEqual(
    extension.requests.slice(before).filter(({ headers }) => headers['x-remote-user'] === 'nobody'),
    [],
  )
  const granted = { resources: ['stars/proxy'], verbs: ['get'], apiGroups: ['far.example.com'] }
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'ports' }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'nobody' }]
  const metadata = { name: 'ports' }
  const role = { metadata, rules: [granted] }
  t.is((await server.fetch(`${rbac}/clusterroles`, { method: 'POST', body: role })).code, 201)
  const binding = { metadata, roleRef, subjects }
  t.is((await server.fetch(`${rbac}/clusterrolebindings`, { method: 'POST', body: binding })).code, 201)
  await server.fetch(`${STARS}/sirius/proxy/a/b`, nobody)
  t.is(extension.requests.at(-1)!.path, `${STARS}/sirius/proxy/a/b`)
})
