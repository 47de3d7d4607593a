import test from 'ava'
import { localAddresses } from '#cmd/local-addresses.ts'

test('an address on the interface lo is one of the machine’s; those of loopback and of fe80::/10 are not', t => {
  const addresses = (...texts: string[]) => texts.map(address => ({ address }))
  const interfaces = {
    lo: addresses('127.0.0.1', '127.0.0.53', '198.51.100.53', '::1', '2001:db8::53'),
    eth0: addresses('192.0.2.1', 'fe80::1', 'febf::1', 'fd00::1'),
    nodelocaldns: addresses('169.254.20.10'),
    gone: undefined,
  }
  t.deepEqual(localAddresses(interfaces), ['198.51.100.53', '2001:db8::53', '192.0.2.1', 'fd00::1', '169.254.20.10'])
})
