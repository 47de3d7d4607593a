import test from 'ava'
import { parseNetwork } from '#resolver/corefile/network.ts'
import { configure, problemsOf } from '../../support/dns-environment.ts'

const networks: Readonly<Record<string, string | undefined>> = {
  '10.0.0.0/8': '10.0.0.0/8',
  '192.0.2.1/32': '192.0.2.1/32',
  '0.0.0.0/0': '0.0.0.0/0',
  '2001:db8::/32': '2001:db8::/32',
  '::/0': '::/0',
  '::ffff:192.0.2.1/96': '::ffff:c000:201/96',
  '10/8': undefined,
  '10.0.0/8': undefined,
  '010.0.0.0/8': undefined,
  '0x0a.0.0.0/8': undefined,
  '10.0.0.0/33': undefined,
  '10.0.0.0/08': undefined,
  '10.0.0.0/': undefined,
  '10.0.0.0': undefined,
  '2001:db8::/129': undefined,
  'fe80::1%eth0/64': undefined,
  '1.2.3.4/8/8': undefined,
}

test('networks are read as they were meant, or not at all', t => {
  for (const [text, expected] of Object.entries(networks)) t.is(parseNetwork(text)?.join('/'), expected, text)
})

test('a network that was not meant is neither blocked nor given zones', t => {
  const acl = (network: string) => `.:53 {\n acl {\n  block net ${network}\n }\n}`
  t.deepEqual(problemsOf(acl('10.0.0.0/8')), [])
  for (const network of ['10/8', '010.0.0.0/8', '10.1'])
    t.regex(problemsOf(acl(network))[0] ?? '', /^Corefile:3: acl: "\S+" is neither an address nor a network/)
  for (const key of ['10/8', '10.0.0/8', '010.0.0.0/8'])
    t.regex(problemsOf(`${key} {\n}`)[0] ?? '', /^Corefile:1: "\S+" is not a network/)
})

test('a line of hosts whose address is none is none', async t => {
  const lines = 'hosts {\n  192.0.2.1 a.example\n }'
  t.notThrows(() => configure(`.:53 {\n ${lines}\n}`))
  t.true(problemsOf('.:53 {\n hosts {\n  010.0.0.1 a.example\n }\n}').length > 0)
})
