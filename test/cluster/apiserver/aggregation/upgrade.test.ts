/** Connections that a client and an extension server use otherwise than for HTTP: handed through, and ended together. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { type Clock, systemClock } from '#lib/clock.ts'
import type { RequestInit, RunningApiserver } from '../../../support/apiserver.ts'
import { STARS, withExtension } from './world.ts'

const EXEC = `${STARS}/sirius/exec`

interface Upgraded {
  readonly answer: IncomingMessage
  readonly socket: Socket
}

interface Refused {
  readonly code: number
  readonly body: string
}

interface Asking extends Pick<RequestInit, 'as' | 'anonymous' | 'headers'> {
  readonly protocol?: string
}

const ask = ({ url, tls }: RunningApiserver, path: string, { as, anonymous, headers, protocol }: Asking = {}) => {
  const { ca } = tls
  return request(`${url}${path}`, {
    ...(anonymous ? { ca } : tls),
    agent: false,
    headers: {
      connection: 'Upgrade',
      upgrade: protocol ?? 'SPDY/3.1',
      ...(as === undefined ? {} : { 'impersonate-user': as }),
      ...headers,
    },
  })
}

const upgrade = (server: RunningApiserver, path: string, asking?: Asking): Promise<Upgraded | Refused> =>
  new Promise((resolve, reject) => {
    const sent = ask(server, path, asking)
    sent.on('error', reject)
    sent.on('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head)
      socket.on('error', () => {})
      resolve({ answer, socket })
    })
    sent.on('response', answer => {
      text(answer).then(body => resolve({ code: answer.statusCode ?? 0, body }), reject)
    })
    sent.end()
  })

const opened = async (server: RunningApiserver, path = EXEC, asking?: Asking): Promise<Upgraded> => {
  const outcome = await upgrade(server, path, asking)
  if ('code' in outcome) throw new Error(`${outcome.code}: ${outcome.body}`)
  return outcome
}

const refusal = async (server: RunningApiserver, path: string, asking?: Asking): Promise<Refused> => {
  const outcome = await upgrade(server, path, asking)
  if ('code' in outcome) return outcome
  outcome.socket.destroy()
  throw new Error('it was not refused')
}

/** Reads on until `wanted` has come; the rest of what came with it, too. */
const hears = (socket: Socket, wanted: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const stop = () => {
      socket.pause()
      socket.off('data', take)
      socket.off('close', fail)
    }
    const fail = () => reject(new Error(`it ended after ${heard}`))
    const take = (chunk: Buffer) => {
      heard += chunk.toString()
      if (!heard.includes(wanted)) return
      stop()
      resolve(heard)
    }
    socket.on('close', fail)
    socket.on('data', take).resume()
  })

const closed = async (socket: Socket): Promise<void> => {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}

const noneIsOpen = async (server: RunningApiserver): Promise<void> => {
  const deadline = Date.now() + 60_000
  while ((await openStreams(server)) > 0) {
    if (Date.now() > deadline) throw new Error('streams are left')
    await new Promise(resolve => setImmediate(resolve))
  }
}

const openStreams = async ({ registry }: RunningApiserver): Promise<number> => {
  const lines = (await registry.metrics()).split('\n')
  return lines
    .filter(line => line.startsWith('apiserver_longrunning_requests{verb="GET",group=""'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

for (const protocol of ['SPDY/3.1', 'websocket'])
  test(`${protocol}: bytes go both ways, in the name of who asked`, async t => {
    const { server, extension } = await withExtension(t)
    const headers = {
      'x-remote-user': 'mallory',
      'x-remote-group': 'system:masters',
      authorization: '',
      'sec-websocket-protocol': 'v5.channel.k8s.io',
    }
    const { answer, socket } = await opened(server, `${EXEC}?command=ls`, { protocol, headers })
    t.is(answer.statusCode, 101)
    t.is(answer.headers.upgrade, protocol)
    t.is(answer.headers['x-far'], 'yes')
    socket.write('one ')
    t.is(await hears(socket, 'ONE'), 'hello ONE ')
    const large = 'x'.repeat(1_000_000)
    socket.write(large)
    socket.write('end')
    t.is((await hears(socket, 'END')).length, large.length + 3)
    const seen = extension.requests.at(-1)!
    t.is(seen.path, `${EXEC}?command=ls`)
    t.like(seen.headers, {
      upgrade: protocol,
      connection: 'Upgrade',
      host: 'far.default.svc',
      'x-remote-user': 'kubernetes-admin',
      'sec-websocket-protocol': 'v5.channel.k8s.io',
      'x-forwarded-for': '127.0.0.1',
    })
    t.is(seen.headers.authorization, undefined)
    t.regex(String(seen.headers['x-remote-group']), /^(?!.*mallory).*system:authenticated$/)
    socket.destroy()
  })

test('when either end goes, so does the other', async t => {
  const { server, extension } = await withExtension(t)
  const leave: Readonly<Record<string, (socket: { end(): void; destroy(): void }) => void>> = {
    ends: socket => socket.end(),
    breaks: socket => socket.destroy(),
  }
  for (const [how, go] of Object.entries(leave)) {
    const first = await opened(server)
    const far = extension.streams.at(-1)!
    go(first.socket)
    if (!far.closed) await once(far, 'close')
    t.true(far.destroyed, `the client ${how}`)
    const second = await opened(server)
    go(extension.streams.at(-1)!)
    await closed(second.socket)
    t.true(second.socket.destroyed, `the server ${how}`)
  }
  const last = await opened(server)
  extension.streams.at(-1)!.end('bye')
  t.is(await hears(last.socket, 'bye'), 'hello bye', 'what was sent before the end arrives')
  await closed(last.socket)
  await noneIsOpen(server)
})

test('who is unknown, or may not, is told so and reaches nobody', async t => {
  const { server, extension } = await withExtension(t)
  const before = extension.requests.length
  const unknown = await refusal(server, EXEC, { anonymous: true })
  t.is(unknown.code, 401)
  const forbidden = await refusal(server, EXEC, { as: 'nobody' })
  t.is(forbidden.code, 403)
  t.regex(JSON.parse(forbidden.body).message, /User "nobody" cannot get resource "stars\/exec"/)
  const page = { protocol: 'WebSocket', headers: { origin: 'https://evil.example' } }
  t.is((await refusal(server, EXEC, page)).code, 401, "a stranger's page, by its reader's certificate")
  t.is(extension.requests.slice(before).filter(({ path }) => path === EXEC).length, 0)
})

test('a page in a browser shows its token among the protocols of its websocket, and nobody else sees it', async t => {
  const { server, extension } = await withExtension(t)
  const account = { metadata: { name: 'page', namespace: 'default' } }
  await server.fetch('/api/v1/namespaces/default/serviceaccounts', { method: 'POST', body: account })
  const path = '/api/v1/namespaces/default/serviceaccounts/page/token'
  const { token } = (await server.fetch(path, { method: 'POST', body: { spec: {} } })).json.status
  await server.fetch('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    method: 'POST',
    body: {
      metadata: { name: 'page' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'page' }],
    },
  })
  const shown = (text: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(text).toString('base64url')}`
  const asking = (protocols: string, protocol = 'websocket', anonymous = true) => ({
    anonymous,
    protocol,
    headers: { 'sec-websocket-protocol': protocols },
  })
  const good = `${shown(token)}, v5.channel.k8s.io,v4.channel.k8s.io`
  const { socket } = await opened(server, EXEC, asking(good))
  socket.destroy()
  const { headers } = extension.requests.at(-1)!
  t.is(headers['x-remote-user'], 'system:serviceaccount:default:page')
  t.is(headers['sec-websocket-protocol'], 'v5.channel.k8s.io, v4.channel.k8s.io')
  const bad = [shown(token), `${shown('x')}, a`, `${shown(token)}, ${shown(token)}, a`, `${shown('')}, a`, 'a, b']
  for (const protocols of bad) t.is((await refusal(server, EXEC, asking(protocols))).code, 401, protocols)
  t.is((await refusal(server, EXEC, asking(good, 'SPDY/3.1'))).code, 401, 'it is a way of websockets alone')
  const certified = await opened(server, EXEC, asking(good, 'websocket', false))
  certified.socket.destroy()
  t.is(extension.requests.at(-1)!.headers['x-remote-user'], 'kubernetes-admin')
  t.is(extension.requests.at(-1)!.headers['sec-websocket-protocol'], 'v5.channel.k8s.io, v4.channel.k8s.io')
})

test('a refusal comes back as it is, and what is neither as a failure', async t => {
  let hurry = false
  const after: Clock['after'] = (delay, task) => systemClock.after(hurry && delay === 60_000 ? 1 : delay, task)
  const { server, extension } = await withExtension(t, { clock: { ...systemClock, after } })
  const refused = await refusal(server, `${STARS}/closed`)
  t.is(refused.code, 403)
  t.is(JSON.parse(refused.body).message, 'closed today')
  const deaf = await refusal(server, `${STARS}/deaf`)
  t.is(deaf.code, 503)
  t.is(JSON.parse(deaf.body).message, 'error trying to reach service: invalid upgrade response: status code 200')
  hurry = true
  const hung = await refusal(server, `${STARS}/black-hole`)
  hurry = false
  t.is(hung.code, 504)
  t.is(JSON.parse(hung.body).message, 'Timeout: request did not complete within the allotted timeout')
  await extension.close()
  const gone = await refusal(server, EXEC)
  t.is(gone.code, 503)
  t.regex(JSON.parse(gone.body).message, /^error trying to reach service: |^service unavailable$/)
})

test('a client that leaves before the server has answered takes its request along', async t => {
  const { server, extension } = await withExtension(t)
  const sent = ask(server, `${STARS}/black-hole/exec`)
  sent.on('error', () => {})
  sent.end()
  while (extension.streams.length === 0) await new Promise(resolve => setImmediate(resolve))
  const far = extension.streams[0]!
  sent.destroy()
  far.resume()
  if (!far.closed) await once(far, 'close')
  t.true(far.closed)
})

test('streams hold no place of those who ask, and end with the apiserver', async t => {
  const { server } = await withExtension(t, { options: { maxRequestsInflight: 1 } })
  const binding = {
    metadata: { name: 'dev' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dev' }],
  }
  const bound = await server.fetch('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    method: 'POST',
    body: binding,
  })
  t.is(bound.code, 201, bound.text)
  const paths = [EXEC, `${STARS}/sirius/console`, `${STARS}/vega/vnc`]
  const streams = await Promise.all(paths.map(path => opened(server, path, { as: 'dev' })))
  t.is(await openStreams(server), 3)
  t.is((await server.fetch(STARS, { as: 'dev' })).code, 200, 'there is a place')
  await server.close()
  for (const { socket } of streams) await closed(socket)
  await noneIsOpen(server)
})

test('a request with a body stays a request: what follows it is no stream', async t => {
  const { server, extension } = await withExtension(t)
  const code = await new Promise<number>((resolve, reject) => {
    const sent = ask(server, EXEC)
    sent.on('error', reject)
    sent.on('upgrade', () => reject(new Error('it was upgraded')))
    sent.on('response', answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.setHeader('content-length', 5)
    sent.end('hello')
  })
  t.is(code, 404)
  const { body, headers } = extension.requests.at(-1)!
  t.is(body, 'hello')
  t.is(headers.upgrade, undefined)
})

test('an APIService that changes leaves alone what goes through it', async t => {
  const { server, extension } = await withExtension(t)
  const { socket } = await opened(server)
  const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.far.example.com'
  const merge = { 'content-type': 'application/merge-patch+json' }
  t.is(
    (await server.fetch(path, { method: 'PATCH', headers: merge, body: { spec: { versionPriority: 11 } } })).code,
    200,
  )
  socket.write('still')
  t.is(await hears(socket, 'STILL'), 'hello STILL')
  t.is((await server.fetch(path, { method: 'DELETE' })).code, 200)
  socket.write(' there')
  t.is(await hears(socket, 'THERE'), ' THERE')
  t.is((await refusal(server, EXEC)).code, 404)
  socket.destroy()
  t.is(extension.streams.length, 1)
})

test('what is served here is answered as if nobody had asked for more', async t => {
  const { server } = await withExtension(t)
  const pods = '/api/v1/namespaces/default/pods'
  const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'web' }] } }
  t.is((await server.fetch(pods, { method: 'POST', body: pod })).code, 201)
  const exec = await refusal(server, `${pods}/web/exec?command=ls`)
  t.is(exec.code, 501)
  t.regex(JSON.parse(exec.body).message, /pods\/exec needs a kubelet/)
  t.is((await refusal(server, `${pods}/web`)).code, 200)
})
