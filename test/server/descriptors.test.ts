import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { ask, askUntil } from '../support/dns-client.ts'
import { run } from '../support/run.ts'

const program = fileURLToPath(new URL('../support/serve.process.ts', import.meta.url))

/** A server in a process that may have `limit` descriptors from when it serves: to load its code it needs more. */
const serveWith = async (t: ExecutionContext, limit: number): Promise<{ child: ChildProcess; port: number }> => {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)))
  ended.catch(() => {})
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  const { code, stderr } = await run('prlimit', ['--pid', String(child.pid), `--nofile=${limit}`])
  t.is(code, 0, stderr)
  return { child, port: Number(line) }
}

test('EMFILE: connections are lost, the server is not', async t => {
  const { child, port } = await serveWith(t, 60)
  const sockets = Array.from({ length: 150 }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    return socket
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.race(sockets.map(socket => once(socket, 'close')))
  // No descriptor is left; datagrams need none.
  for (let round = 0; round < 20; round++) t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
  for (const socket of sockets) socket.destroy()
  t.is((await askUntil({ name: 'a', port, transport: 'tcp' }, reply => reply.rcode === 'NOERROR')).answers.length, 1)
  const ended = once(child, 'exit')
  child.stdin?.end()
  t.deepEqual(await ended, [0, null])
})
