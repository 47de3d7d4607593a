import test from 'ava'
import { aData, srvData } from '#resolver/wire/rdata.ts'
import { srvRecords } from '#resolver/zone/service-records.ts'

const A = 'a.s.ns.svc.cluster.local.'
const B = 'b.s.ns.svc.cluster.local.'
const owner = { owner: 's.ns.svc.cluster.local.', settings: { ttl: 5 } }

test('each target and port is one SRV, each target and address one glue record, in order; doubles count in weights', t => {
  const records = srvRecords(owner, [
    { target: A, port: 80, key: '192.0.2.1' },
    { target: B, port: 80, key: '192.0.2.1' },
    { target: A, port: 443, key: '192.0.2.1' },
    { target: A, port: 80, key: '192.0.2.2' },
    { target: A, port: 80, key: '192.0.2.1' },
    { target: 'else.example.', port: 80, key: undefined },
  ])
  t.deepEqual(
    records?.answers.map(({ name, data }) => [name, srvData.decode(data)]),
    [
      [A, 80],
      [B, 80],
      [A, 443],
      ['else.example.', 80],
    ].map(([target, port]) => [owner.owner, { priority: 0, weight: 16, port, target }]),
  )
  t.deepEqual(
    records?.additional?.map(({ name, data }) => [name, aData.decode(data)]),
    [
      [A, '192.0.2.1'],
      [B, '192.0.2.1'],
      [A, '192.0.2.2'],
    ],
  )
  t.deepEqual(records?.elsewhere, ['else.example.'])
})
