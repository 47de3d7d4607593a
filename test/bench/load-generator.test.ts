import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { decode } from 'dns-packet'
import { type LoadQuestion, runLoad, writeQuestions } from '../../bench/load-generator.ts'
import { UpstreamStub } from '../../bench/upstream.ts'
import { ask } from '../support/dns-client.ts'
import { findProgram, skip } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Replies without answers to what comes; the names that were asked, in turn. */
const startEcho = async (t: ExecutionContext) => {
  const names: string[] = []
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.on('message', (packet, { port, address }) => {
    names.push(decode(packet).questions![0]!.name)
    packet[2] = packet[2]! | 0x80
    socket.send(packet, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port, names }
}

const load = async (t: ExecutionContext, questions: readonly LoadQuestion[], fresh: boolean) => {
  const path = join(temporaryFolder(t), 'questions')
  writeQuestions(path, questions)
  // A machine that stands still meanwhile asks nothing in so little time.
  for (let seconds = 0.2; ; seconds *= 2) {
    const { port, names } = await startEcho(t)
    const report = await runLoad({ address: '127.0.0.1', port, questions: path, seconds, pace: { window: 4 }, fresh })
    if (report.received > 1) return { report, names }
  }
}

const run = findProgram('gcc')
  ? test
  : (title: string, _: unknown) => test(title, t => skip(t, 'there is no gcc to build the load generator with'))

run('questions are asked in turn, and every reply is counted', async t => {
  const { report, names } = await load(
    t,
    [
      { name: 'a.example.', type: 'A' },
      { name: 'b.example.', type: 'AAAA' },
    ],
    false,
  )
  t.deepEqual(new Set(names), new Set(['a.example', 'b.example']))
  t.true(report.sent > 0)
  t.is(report.received + report.lost, report.sent)
  t.is(report.empty, report.received)
  t.is(report.rcodes[0], report.received)
})

run('fresh questions are never the same', async t => {
  const { names } = await load(t, [{ name: '00000000.example.', type: 'A' }], true)
  t.true(names.length > 1)
  t.is(new Set(names).size, names.length)
  for (const name of names) t.regex(name, /^[0-9a-f]{8}\.example$/)
})

run('the upstream has an address for every name, no other records, and denies what is below internal.', async t => {
  const upstream = new UpstreamStub()
  await upstream.open()
  t.teardown(() => upstream.close())
  const { port } = upstream
  const address = await ask({ port, name: 'www.example.com', type: 'A' })
  t.is(address.rcode, 'NOERROR')
  t.is(address.answers.length, 1)
  const none = await ask({ port, name: 'www.example.com', type: 'AAAA' })
  t.is(none.rcode, 'NOERROR')
  t.is(none.answers.length, 0)
  const denied = await ask({ port, name: 'www.example.com.Region-1.InTernal', type: 'A' })
  t.is(denied.rcode, 'NXDOMAIN')
})
