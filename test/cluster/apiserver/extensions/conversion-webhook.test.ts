/** How a conversion webhook is reached, by a Service too, and how what waits for one is tried again. */
import test from 'ava'
import { type Clock, systemClock, type Timer } from '#lib/clock.ts'
import { startApiserver } from '../../../support/apiserver.ts'
import {
  backend,
  backends,
  converted,
  DEFINITION,
  define,
  type Json,
  serveBackends,
  until,
  V1,
  V2,
} from '../../../support/conversion.ts'
import { openWatch } from '../../../support/watch-lines.ts'
import { startWebhookServer } from '../../../support/webhook-server.ts'

const SERVICES = '/api/v1/namespaces/default/services'

test('a Service is reached at its endpoint, under its own name, as soon as it is there', async t => {
  const server = await startApiserver(t)
  const webhook = await startWebhookServer(t, converted, ['convert.default.svc'])
  const service = { namespace: 'default', name: 'convert', path: '/crd', port: webhook.port }
  await define(t, server, backends({ service, caBundle: webhook.caBundle }))
  t.is((await server.fetch(V1, { method: 'POST', body: backend('v1', 'a', { hostPort: 'h:1' }) })).code, 201)
  const lost = await server.fetch(`${V2}/a`)
  t.is(lost.code, 500)
  t.is(
    lost.json.message,
    `conversion webhook for stable.example.com/v1, Kind=Backend failed: Post "https://convert.default.svc:${webhook.port}/crd?timeout=30s": service "convert" not found`,
  )
  const spec = { type: 'ExternalName', externalName: 'localhost' }
  t.is((await server.fetch(SERVICES, { method: 'POST', body: { metadata: { name: 'convert' }, spec } })).code, 201)
  const { code, json, text } = await server.fetch(`${V2}/a`)
  t.is(code, 200, text)
  t.deepEqual(json.spec, { host: 'h', port: 1, weight: 1 })
  t.is(webhook.requests[0]?.path, '/crd')
  t.is((await server.fetch(V2, { method: 'POST', body: backend('v2', 'b', { host: 'i', port: 2 }) })).code, 201)
  t.is((await server.fetch(`${V1}/b`)).json.spec.hostPort, 'i:2')
})

test('a server that is not who the Service is, or is not vouched for, converts nothing', async t => {
  const server = await startApiserver(t)
  const webhook = await startWebhookServer(t, converted, ['other.default.svc'])
  const spec = { type: 'ExternalName', externalName: 'localhost' }
  await server.fetch(SERVICES, { method: 'POST', body: { metadata: { name: 'convert' }, spec } })
  const service = { namespace: 'default', name: 'convert', port: webhook.port }
  await define(t, server, backends({ service, caBundle: webhook.caBundle }))
  t.is((await server.fetch(V1, { method: 'POST', body: backend('v1', 'a', { hostPort: 'h:1' }) })).code, 201)
  const { code, json } = await server.fetch(`${V2}/a`)
  t.is(code, 500)
  t.regex(json.message, /convert\.default\.svc:\d+\/\?timeout=30s": .*convert\.default\.svc/)
  t.is(webhook.requests.length, 0)
})

/** Between two attempts to delete what is left of a definition. */
const RETRY = 5_000

test('what cannot be deleted while its webhook is away is tried again, every five seconds', async t => {
  const due: (() => void)[] = []
  const after: Clock['after'] = (delay, task): Timer => {
    if (delay !== RETRY) return systemClock.after(delay, task)
    due.push(task)
    return { cancel: () => void (due.includes(task) && due.splice(due.indexOf(task), 1)) }
  }
  const server = await startApiserver(t, { clock: { ...systemClock, after } })
  let away = false
  const webhook = await serveBackends(t, server, request => (away ? 503 : converted(request)))
  t.is((await server.fetch(V1, { method: 'POST', body: backend('v1', 'a', { hostPort: 'h:1' }) })).code, 201)
  // From now on what is stored has to be converted before it can go.
  const watch = await openWatch(t, server, `${V1}?watch=1`)
  const { json } = await server.fetch(DEFINITION)
  for (const version of json.spec.versions) version.storage = !version.storage
  t.is((await server.fetch(DEFINITION, { method: 'PUT', body: json })).code, 200)
  await watch.untilEnd()
  away = true
  due.length = 0
  const before = webhook.requests.length
  t.is((await server.fetch(DEFINITION, { method: 'DELETE' })).code, 200)
  await until(async () => due.length > 0)
  t.true(webhook.requests.length > before)
  const { conditions } = await until(async () => {
    const { status } = (await server.fetch(DEFINITION)).json
    return status.conditions.some(({ reason }: Json) => reason === 'InstanceDeletionInProgress') && status
  })
  t.like(
    conditions.find(({ type }: Json) => type === 'Terminating'),
    { status: 'True', message: 'CustomResource deletion is in progress' },
  )
  // Still away: it is tried, and tried once more later.
  const [first] = due.splice(0)
  first!()
  await until(async () => due.length > 0)
  t.is((await server.fetch(DEFINITION)).code, 200)
  away = false
  due.splice(0)[0]!()
  await until(async () => (await server.fetch(DEFINITION)).code === 404)
  t.is(due.length, 0, 'and no more once it is gone')
})
