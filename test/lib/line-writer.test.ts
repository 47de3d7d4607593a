import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { LineWriter } from '#lib/line-writer.ts'
import { createRegistry } from '#lib/metrics.ts'
import { metric } from '../support/dns-server.ts'
import { findProgram, skip } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const DROPPED = 'seamark_log_lines_dropped_total'

/** Waits for the thing itself. */
const until = async (isSo: () => boolean): Promise<void> => {
  const end = performance.now() + 60_000
  while (!isSo() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
}

test('lines come out whole and in order', async t => {
  const file = join(temporaryFolder(t), 'lines')
  const descriptor = openSync(file, 'w')
  t.teardown(() => closeSync(descriptor))
  const registry = createRegistry()
  const writer = new LineWriter({ descriptor, clock: systemClock, registry })
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} — ${'x'.repeat(index % 97)}`)
  for (const [index, line] of lines.entries()) {
    writer.write(line)
    if (index % 500 === 0) await new Promise(resolve => setTimeout(resolve, 25))
  }
  const expected = `${lines.join('\n')}\n`
  await until(() => readFileSync(file, 'utf8').length === expected.length)
  t.is(readFileSync(file, 'utf8'), expected)
  t.is(await metric(registry, DROPPED), 0)
})

test('what waits is written when the process ends', t => {
  const file = join(temporaryFolder(t), 'lines')
  const descriptor = openSync(file, 'w')
  t.teardown(() => closeSync(descriptor))
  const writer = new LineWriter({ descriptor, clock: systemClock, registry: createRegistry() })
  writer.write('the last')
  writer.write('words')
  writer.flush()
  t.is(readFileSync(file, 'utf8'), 'the last\nwords\n')
})

test('a reader that is too slow costs lines, which are counted; nobody waits', async t => {
  const mkfifo = findProgram('mkfifo')
  if (!mkfifo) return skip(t, 'needs mkfifo')
  const pipe = join(temporaryFolder(t), 'pipe')
  execFileSync(mkfifo, [pipe])
  // For reading and writing: opening does not wait for somebody at the other end.
  const descriptor = openSync(pipe, 'r+')
  const registry = createRegistry()
  const maximum = 10_000
  const writer = new LineWriter({ descriptor, clock: systemClock, registry, maximum })
  const line = 'y'.repeat(99)
  // Many times what the pipe and the writer hold together.
  for (let count = 0; count < 10_000; count++) {
    writer.write(line)
    if (count % 50 === 0) await new Promise(resolve => setTimeout(resolve, 25))
  }
  const dropped = await metric(registry, DROPPED)
  t.true(dropped > 0, 'nothing was dropped')
  const bytes = (10_000 - dropped) * 100
  let read = 0
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const chunk = Buffer.alloc(65_536)
  const take = (): number => {
    try {
      return readSync(reader, chunk)
    } catch {
      // Empty for now: the writer refills it.
      return 0
    }
  }
  await until(() => {
    const text = chunk.toString('latin1', 0, take())
    t.regex(text, /^[y\n]*$/)
    read += text.length
    return read >= bytes
  })
  t.is(read, bytes)
  closeSync(reader)
  closeSync(descriptor)
})
