import test from 'ava'
import { bindAddresses, isWildcard, localAddresses } from '#server/bind-address.ts'
import { ask } from '../support/dns-client.ts'
import { startServer } from '../support/dns-server.ts'

test('no host is every address of both families', async t => {
  const addresses = await bindAddresses('')
  t.deepEqual(addresses, [
    { address: '0.0.0.0', family: 4 },
    { address: '::', family: 6 },
  ])
  t.true(addresses.every(isWildcard))
})

for (const [host, address, family] of [
  ['127.0.0.1', '127.0.0.1', 4],
  ['::1', '::1', 6],
  ['fe80::1%eth0', 'fe80::1%eth0', 6],
  ['0.0.0.0', '0.0.0.0', 4],
] as const) {
  test(`an address stands for itself: ${host}`, async t => {
    t.deepEqual(await bindAddresses(host), [{ address, family }])
  })
}

test('a host name is looked up', async t => {
  const [localhost] = await bindAddresses('localhost')
  t.true(['127.0.0.1', '::1'].includes(localhost!.address))
})

test('loopback is among the addresses of this machine', t => {
  t.true(localAddresses(4).has('127.0.0.1'))
})

test('a listener by host name, and one on IPv6', async t => {
  const hosts = localAddresses(6).has('::1') ? ['localhost', '::1'] : ['localhost']
  const listeners = hosts.map(host => ({ address: { host, port: 0 }, server: `dns://${host}:0` }))
  const { server } = await startServer(t, { listeners })
  for (const { host, port } of server.addresses().dns.values()) {
    const address = (await bindAddresses(host))[0]!.address
    for (const transport of ['udp', 'tcp'] as const) {
      t.is((await ask({ name: 'a', address, port, transport })).rcode, 'NOERROR')
    }
  }
})
