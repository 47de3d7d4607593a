/** What a worker hands over while the main thread takes nothing from its hands. */
import { createSocket } from 'node:dgram'
import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import { missingSystemCalls, openDatagramSocket, systemCalls } from '#server/system-calls.ts'
import { Count } from '#server/udp/control-block.ts'
import { datagramAddress } from '#server/udp/socket-name.ts'
import { WorkerPool } from '#server/udp/worker-pool.ts'
import { newSharedState } from '../../support/dns-server.ts'
import { queryPacket } from '../../support/query-packet.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

/** Of a worker; for names that are not the server's own. */
const IN_HAND = 4096
const OTHERS = 3072

onLinux('questions for other servers fill three quarters of what may wait; the rest is for the own zones', async t => {
  const pool = new WorkerPool({
    ...newSharedState(),
    clock: systemClock,
    logger: silentLogger,
    workers: 1,
    memoBudget: 1 << 20,
    replaced() {},
    persistent: false,
    givenUp() {},
  })
  pool.ownZones = [[nameData.encode('cluster.local.').toString('latin1'), true]]
  const { fd, port } = openDatagramSocket(datagramAddress({ address: '127.0.0.1', family: 4 }, 0), {
    reusePort: false,
    packetInfo: false,
    receiveBuffer: 1 << 20,
    receiveTimeout: 50,
  })
  const serving = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const handed = { own: 0, others: 0 }
  const id = pool.serve(
    0,
    { fd, space: pool.newSpace() },
    {
      serving: serving.resolve,
      failed: serving.reject,
      missed: ({ packet }) => void handed[packet.includes('cluster') ? 'own' : 'others']++,
      left: left.resolve,
    },
  )
  const client = createSocket('udp4')
  t.teardown(async () => {
    client.close()
    pool.leave(id)
    await left.promise
    await pool.close()
    systemCalls().close(fd)
  })
  await serving.promise
  let sent = 0
  /** What is received is counted before it is looked at. */
  const dealtWith = () => pool.total(Count.misses) + pool.total(Count.shed) + pool.total(Count.shedOthers)
  const send = async (name: string, count: number) => {
    for (let done = 0; done < count; done += 64) {
      const size = Math.min(64, count - done)
      for (let each = 0; each < size; each++) client.send(queryPacket(name), port, '127.0.0.1')
      sent += size
      while (dealtWith() < sent) await new Promise(resolve => setTimeout(resolve, 1))
    }
    while (handed.own + handed.others < pool.total(Count.misses)) await new Promise(resolve => setTimeout(resolve, 1))
    return { ...handed, shed: pool.total(Count.shed), shedOthers: pool.total(Count.shedOthers) }
  }
  t.deepEqual(await send('a.example.com.', OTHERS + 200), { own: 0, others: OTHERS, shed: 0, shedOthers: 200 })
  t.deepEqual(await send('a.cluster.local.', 1000), { own: 1000, others: OTHERS, shed: 0, shedOthers: 200 })
  t.deepEqual(await send('a.cluster.local.', 100), { own: IN_HAND - OTHERS, others: OTHERS, shed: 76, shedOthers: 200 })
  for (let each = 0; each < 1500; each++) pool.answered(0)
  t.deepEqual(await send('b.example.com.', 600), { own: 1024, others: OTHERS + 476, shed: 76, shedOthers: 324 })
})
