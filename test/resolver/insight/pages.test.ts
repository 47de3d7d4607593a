import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { Observer } from '#resolver/insight/observer.ts'
import { adminPages } from '#resolver/insight/pages.ts'
import type { HttpReply } from '#resolver/listener.ts'
import type { LiveState } from '#resolver/reload.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'

const COREFILE = `. {
 hosts /nowhere {
  192.0.2.1 www.example.org
 }
 cache
}
`

const site = (changes: Partial<LiveState> = {}) => {
  const base = testWorld()
  const observer = new Observer(base.clock, createRegistry())
  const configuration = configure(COREFILE, testWorld({ observer }))
  const state = (): LiveState => ({ configuration, taken: 0, refused: undefined, ...changes })
  const pages = adminPages({ host: '127.0.0.1', port: 0 }, { state, observer, clock: base.clock })
  const get = async (path: string, accept = ''): Promise<HttpReply & { body: string }> => {
    const [page, parameters] = path.split('?')
    const reply = await pages.find(endpoint => endpoint.path === page)!.reply(new URLSearchParams(parameters), accept)
    return { ...reply, body: String(reply.body) }
  }
  return { configuration, get, paths: pages.map(({ path }) => path) }
}

test('the first page names the others, each of which is there as text and as JSON', async t => {
  const { get, paths } = site()
  const { body } = await get('/')
  t.deepEqual(body.trim().split('\n'), paths.slice(1))
  for (const path of paths.slice(1)) {
    const parameters = path === '/explain' ? '?name=www.example.org' : ''
    const text = await get(path + parameters)
    t.is(text.status, 200)
    t.regex(text.contentType, /^text\/plain/)
    const json = await get(path + parameters, 'text/html, application/json;q=0.9')
    t.is(json.contentType, 'application/json')
    t.notThrows(() => JSON.parse(json.body), path)
    t.is((await get(`${path}?format=json${parameters.replace('?', '&')}`)).contentType, 'application/json')
  }
})

test('/config: the Corefile with its hash, and what was refused', async t => {
  const problem = { position: { file: 'Corefile', line: 3 }, message: 'unknown directive "hots"' }
  const { get } = site({ taken: Date.UTC(2026, 0, 2), refused: { at: Date.UTC(2026, 0, 3), problems: [problem] } })
  const { body } = await get('/config')
  t.true(body.endsWith(COREFILE))
  t.regex(body, /^# SHA-512 [0-9a-f]{128}\n# served since 2026-01-02T00:00:00\.000Z/)
  t.regex(body, /# refused 2026-01-03T00:00:00\.000Z:\n# {3}Corefile:3: unknown directive "hots"\n/)
  const json = JSON.parse((await get('/config', 'application/json')).body)
  t.is(json.corefile, COREFILE)
  t.deepEqual(json.refused.problems, ['Corefile:3: unknown directive "hots"'])
})

test('/explain: parameters that are wrong are told', async t => {
  const { get } = site()
  t.regex((await get('/explain?name=www.example.org')).body, /www\.example\.org\. A: NOERROR by hosts/)
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /name: "" is not a domain name/,
    'name=a..b': /not a domain name/,
    'name=a.&type=AXFR': /type: "AXFR" is not a record type/,
    'name=a.&type=nonsense': /type: "nonsense"/,
    'name=a.&client=somebody': /client: "somebody" is neither an IP address nor NAMESPACE\/POD/,
    'name=a.&client=shop/cart': /client: pods are not known here/,
    'name=a.&server=dns://:54': /server: there is dns:\/\/:53/,
  }
  for (const [parameters, problem] of Object.entries(wrong)) {
    const { status, body } = await get(`/explain?${parameters}`)
    t.is(status, 400)
    t.regex(body, problem)
  }
})

test('/top and /failures', async t => {
  const { get, configuration } = site()
  for (let count = 0; count < 3; count++) await ask(configuration, 'no.example.org.')
  await ask(configuration, 'www.example.org.', { client: '192.0.2.9' })
  await ask(configuration, 'WWW.example.org.', { server: 'dns://:54' })
  const top = JSON.parse((await get('/top?format=json')).body)
  t.deepEqual(top.client[0], {
    queries: 4,
    error: 0,
    'wasted %': 75,
    failed: 1,
    client: '192.0.2.7',
    namespace: '',
    pod: '',
  })
  t.deepEqual(top.name[0], { queries: 3, error: 0, rcode: 'NXDOMAIN', type: 'A', name: 'no.example.org.' })
  t.deepEqual(top.rcode, [
    { queries: 3, rcode: 'NXDOMAIN' },
    { queries: 1, rcode: 'NOERROR' },
    { queries: 1, rcode: 'REFUSED' },
  ])
  t.is(
    (await get('/top?by=client&limit=1')).body,
    'by client\nqueries  error  wasted %  failed  client     namespace  pod\n      4      0        75       1  192.0.2.7\n',
  )
  t.is((await get('/top?by=colour')).status, 400)
  t.is((await get('/top?limit=0')).status, 400)
  const failures = await get('/failures')
  t.regex(failures.body, /192\.0\.2\.7 {2}REFUSED {6}A {5}WWW\.example\.org\. {2}no server block for this name/)
  t.is(JSON.parse((await get('/failures?format=json&name=www.EXAMPLE')).body).length, 1)
  t.is(JSON.parse((await get('/failures?format=json&name=nothing')).body).length, 0)
  t.is((await get('/failures?kind=all')).status, 400)
})

test('before there is a configuration, 503', async t => {
  const { get } = site({ configuration: undefined })
  t.is((await get('/top')).status, 503)
})
