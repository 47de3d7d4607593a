import test from 'ava'
import { type Logger, silentLogger } from '#lib/log.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const hosts = Array.from({ length: 60 }, (_, index) => `192.0.2.${index} many.example.org`).join('\n')
const blockOf = (line: string) => configure(`. {\n ${line}\n hosts /nowhere {\n${hosts}\n }\n}`)

const askAt = async (line: string, udpSize: number, transport: 'udp' | 'tcp' = 'udp') => {
  const edns = { udpSize, dnssecOk: false, options: [] }
  const reply = await ask(blockOf(line), 'many.example.org.', { edns, transport })
  return { size: reply?.edns?.udpSize, tc: reply?.truncated, count: reply?.answers.length }
}

test('limits what is sent over UDP and what is said to be taken', async t => {
  const { size, tc, count } = await askAt('bufsize 700', 4096)
  t.is(size, 700)
  t.true(tc)
  // 12 of header, 22 of question, 11 of OPT, 16 a record.
  t.is(count, Math.floor((700 - 12 - 22 - 11) / 16))
})

test('only lowers: neither a client’s smaller size nor the server’s own is passed', async t => {
  t.like(await askAt('bufsize 700', 512), { count: Math.floor((512 - 45) / 16), tc: true })
  t.deepEqual(await askAt('bufsize 4096', 4096), { size: 1232, tc: false, count: 60 })
  t.deepEqual(await askAt('bufsize', 4096), { size: 1232, tc: false, count: 60 })
  t.like(await askAt('bufsize 512', 4096, 'tcp'), { tc: false, count: 60 })
})

test('takes 512 to 4096', t => {
  for (const word of ['511', '4097', 'big'])
    t.regex(problemsOf(`. {\n bufsize ${word}\n}`)[0] ?? '', /is not a number of bytes \(512 to 4096\)/)
})

test('more than the server’s own limit has no effect, which the log says', async t => {
  const told: object[] = []
  const logger = { ...silentLogger, info: (fields: object) => void told.push(fields) } as Logger
  const start = async (size: number) => {
    const configuration = configure(`. {\n bufsize ${size}\n}`, testWorld({ logger }))
    await configuration.start(new AbortController().signal)
    await configuration.close()
  }
  await start(1232)
  t.deepEqual(told, [])
  await start(1233)
  t.deepEqual(told, [{ size: 1233, limit: 1232 }])
})
