import type { IncomingMessage, ServerResponse } from 'node:http'
import test from 'ava'
import { requestHeaders } from '#cluster/apiserver/aggregation/passed-headers.ts'

const USER = { name: 'ann', groups: [] }

const passed = (remoteAddress: string, headers: Readonly<Record<string, string>> = {}) => {
  const request = { headers, socket: { remoteAddress } } as unknown as IncomingMessage
  const response = { getHeader: () => 'id' } as unknown as ServerResponse
  return requestHeaders(request, response, USER)
}

test('who asks is told by an address that others can read, whatever the interface is called', t => {
  const cases: readonly [address: string, told: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%br-lan', 'fe80::1'],
    ['fe80::1%eth0.100', 'fe80::1'],
  ]
  for (const [address, told] of cases) t.is(passed(address)['x-forwarded-for'], told)
})

test('what a client says of itself is not passed on', t => {
  const spoofed = {
    authorization: 'Bearer x',
    'x-remote-user': 'admin',
    'x-remote-group': 'system:masters',
    'x-remote-extra-scopes': 'all',
    'impersonate-user': 'admin',
    connection: 'x-remote-user, x-remote-group, x-forwarded-for',
    'audit-id': 'theirs',
    'x-forwarded-for': '192.0.2.9',
  }
  t.deepEqual(passed('192.0.2.1', spoofed), {
    'x-remote-user': 'ann',
    'x-forwarded-for': '192.0.2.9, 192.0.2.1',
    'audit-id': 'id',
  })
})
