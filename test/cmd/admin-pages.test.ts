/** cmd/admin-pages.ts: where the DNS server tells what it does, and what happens while another program is there. */
import test, { type ExecutionContext } from 'ava'
import { AdminPages } from '#cmd/admin-pages.ts'
import { SeamarkError } from '#lib/errors.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { Observer } from '#resolver/insight/observer.ts'
import { serverOptions } from '#server/options.ts'
import { configure, testWorld } from '../support/dns-environment.ts'
import { freePort, whenLeft } from '../support/free-port.ts'

const pagesAt = (t: ExecutionContext, address: string, isAsked: boolean): AdminPages => {
  const { clock } = testWorld()
  const configuration = configure('. {\n whoami\n}')
  const read = readOptions(serverOptions, {})
  if (!read.ok) throw new Error(read.problem)
  const pages = new AdminPages({
    address,
    isAsked,
    pages: {
      state: () => ({ configuration, taken: 0, refused: undefined }),
      observer: new Observer(clock, createRegistry()),
      clock,
    },
    server: read.value,
    logger: silentLogger,
  })
  t.teardown(() => pages.close())
  return pages
}

test('serves the pages, with their forms', async t => {
  const pages = pagesAt(t, '127.0.0.1:0', true)
  await pages.start()
  const url = `http://${pages.addresses().admin}`
  t.regex(await (await fetch(`${url}/explain?name=example.org`)).text(), /example\.org\. A: NOERROR by whoami/)
  const json = await fetch(`${url}/explain?name=example.org`, { headers: { accept: 'application/json' } })
  t.is(((await json.json()) as { candidates: { rcode: string }[] }).candidates[0]?.rcode, 'NOERROR')
})

test('off: nowhere', async t => {
  const pages = pagesAt(t, 'off', true)
  await pages.start()
  t.deepEqual(pages.addresses(), {})
})

test('an address that is taken is an error where somebody asked for it, else it is given up until it is free', async t => {
  // Claimed: it is free for a moment, and nobody else's servers may take it then.
  const port = await freePort()
  const admin = `127.0.0.1:${port}`
  const first = pagesAt(t, admin, true)
  await first.start()
  const error = await t.throwsAsync<SeamarkError>(() => pagesAt(t, admin, true).start(), { instanceOf: SeamarkError })
  t.is(error?.code, 'ADDRESS_IN_USE')
  t.regex(error?.message ?? '', /--admin-address/)
  const second = pagesAt(t, admin, false)
  await second.start()
  t.deepEqual(second.addresses(), {})
  await first.close()
  await whenLeft(port)
  await second.start()
  t.is(second.addresses().admin, admin)
})

test('an address that is none is told with its flag', t => {
  t.throws(() => pagesAt(t, 'localhost', false), { message: /--admin-address/ })
})
