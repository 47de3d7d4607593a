import test from 'ava'
import { endpointSlice, legacyEndpoints } from '#cluster/apiserver/bootstrap/endpoints.ts'
import { firstAddress } from '#cluster/apiserver/bootstrap/objects.ts'
import { checkClusterOptions } from '#cluster/apiserver/bootstrap/options.ts'

const PORT = 6443

const cases: [title: string, advertised: string, host: string, reached: boolean][] = [
  ['a wildcard of IPv4 is reached', '192.0.2.7', '0.0.0.0', true],
  ['a wildcard of all is reached', '192.0.2.7', '', true],
  ['the address itself is reached', '192.0.2.7', '192.0.2.7', true],
  ['another address is not', '192.0.2.7', '192.0.2.8', false],
  ['loopback is not', '192.0.2.7', '127.0.0.1', false],
  ['loopback is never advertised, as Kubernetes refuses it in slices', '127.0.0.1', '0.0.0.0', false],
  ['no address is advertised', '', '0.0.0.0', false],
  ['IPv6 by its wildcard', '2001:db8::7', '::', true],
]

for (const [title, advertiseAddress, host, reached] of cases)
  test(title, t => {
    const options = {
      namespace: 'default',
      name: 'kubernetes',
      ports: [{ name: 'https', protocol: 'TCP' as const, listens: { host, port: PORT } }],
    }
    const slice = endpointSlice(options, { advertiseAddress })
    const legacy = legacyEndpoints(options, { advertiseAddress })
    t.is(slice.addressType, advertiseAddress.includes(':') ? 'IPv6' : 'IPv4')
    t.deepEqual(slice.endpoints, reached ? [{ addresses: [advertiseAddress], conditions: { ready: true } }] : [])
    const ports = [{ name: 'https', port: PORT, protocol: 'TCP' }]
    t.deepEqual(slice.ports, reached ? ports : [])
    t.deepEqual(legacy.subsets, reached ? [{ addresses: [{ ip: advertiseAddress }], ports }] : undefined)
  })

test('only the ports whose server is reached are named', t => {
  const slice = endpointSlice(
    {
      namespace: 'kube-system',
      name: 'kube-dns',
      ports: [
        { name: 'dns', protocol: 'UDP', listens: { host: '', port: 53 } },
        { name: 'metrics', protocol: 'TCP', listens: { host: '127.0.0.1', port: 9153 } },
        { name: 'other', protocol: 'TCP', listens: undefined },
      ],
    },
    { advertiseAddress: '192.0.2.7' },
  )
  t.deepEqual(slice.ports, [{ name: 'dns', port: 53, protocol: 'UDP' }])
})

test('the first address of a range is that of the Service kubernetes', t => {
  t.is(firstAddress(['10.96.0.0/12']), '10.96.0.1')
  t.is(firstAddress(['10.96.7.0/24']), '10.96.7.1')
  t.is(firstAddress(['fd00:10:96::/108', '10.96.0.0/12']), 'fd00:10:96::1')
})

const bad: [options: object, message: RegExp][] = [
  [{ serviceCidrs: 'here' }, /^serviceCidrs: Invalid value: "here"/],
  [{ serviceCidrs: '10.96.0.1/12' }, /^serviceCidrs: .*must not have bits set/],
  [{ serviceCidrs: '10.96.0.0/12,10.0.0.0/16' }, /more than one CIDR of an IP family/],
  [{ clusterDns: 'ten' }, /^clusterDns: "ten" is not an IP address/],
  [{ clusterDns: '10.0.0.10' }, /^clusterDns: 10\.0\.0\.10 is no address for Services \(10\.96\.0\.0\/12\)/],
  [{ serviceCidrs: '10.0.0.0/16' }, /^clusterDns: 10\.96\.0\.10 is no address for Services/],
  [{ advertiseAddress: '127.0.0.1' }, /^advertiseAddress: .*loopback/],
]

for (const [change, message] of bad)
  test(`refused: ${JSON.stringify(change)}`, t => {
    const options = { serviceCidrs: '10.96.0.0/12', clusterDns: '10.96.0.10', advertiseAddress: '192.0.2.7' }
    t.notThrows(() => checkClusterOptions(options))
    t.like(
      t.throws(() => checkClusterOptions({ ...options, ...change }), { message }),
      { code: 'BAD_OPTION' },
    )
  })
