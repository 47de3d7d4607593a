import { isIPv4 } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { findReadyAddress, mayHoldAddress, packEndpoints, unpackEndpoints } from '#watcher/packed-endpoints.ts'

const addresses = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('010.0.0.1', '1.2.3.256', '', 'host.example', '1.2.3'))
const endpoints = fc.array(
  fc.record(
    {
      addresses: fc.array(addresses, { maxLength: 3 }),
      hostname: fc.constantFrom('', 'web-0', 'a'.repeat(63)),
      podName: fc.constantFrom('', 'web-0', 'p'.repeat(253)),
      ready: fc.boolean(),
      zone: fc.constantFrom('', 'Region-1', 'zöne'),
      zoneHints: fc.constantFrom('', 'a', 'a b', 'z'.repeat(600)),
      nodeHints: fc.constantFrom('', 'node-1'),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 100 },
)

test('endpoints come out as they went in, whatever the API has', t => {
  fc.assert(fc.property(endpoints, all => t.deepEqual([...unpackEndpoints(packEndpoints(all))], all)))
})

/** IPv4 as 32 bits, all else as it is. */
const numbered = (address: string): number | string =>
  isIPv4(address) ? address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0) : address

test('an IPv4 address that is there is found by the search of the text', t => {
  fc.assert(
    fc.property(endpoints, all => {
      const packed = packEndpoints(all)
      for (const address of all.flatMap(endpoint => endpoint.addresses.map(numbered)))
        t.true(typeof address === 'string' || mayHoldAddress(packed, address))
    }),
  )
})

test('the addresses of ready endpoints are found in their order, until one will do', t => {
  fc.assert(
    fc.property(endpoints, fc.nat(20), (all, enough) => {
      const ready = all.flatMap(endpoint => (endpoint.ready ? endpoint.addresses.map(numbered) : []))
      const found: (number | string)[] = []
      findReadyAddress(packEndpoints(all), address => found.push(address) > enough)
      t.deepEqual(found, ready.slice(0, enough + 1))
    }),
  )
})

test('an IPv4 endpoint without names takes seven characters', t => {
  const endpoint = {
    addresses: ['10.1.2.3'],
    hostname: '',
    podName: '',
    ready: true,
    zone: '',
    zoneHints: '',
    nodeHints: '',
  }
  t.is(packEndpoints([endpoint, endpoint]).length, 14)
})
