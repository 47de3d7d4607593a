import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { claimPort, freePort, freePorts, portsBeside } from './free-port.ts'

const onLinux = platform() === 'linux' ? test : test.skip

test('no port is handed out twice', async t => {
  const ports = await freePorts(50)
  t.is(new Set(ports).size, 50)
})

test('ports are beside those that the system gives to clients, wherever these are', t => {
  for (const [given, first, last] of [
    [[32_768, 60_999], 12_000, 32_000],
    [[40_000, 41_999], 12_000, 32_000],
    [[15_000, 64_000], 5000, 14_999],
    [[1024, 31_000], 31_001, 65_535],
    [[1024, 65_535], 12_000, 32_000],
  ] as const)
    t.deepEqual(portsBeside({ first: given[0], last: given[1] }), { first, last })
})

test('a port that was handed out is free over TCP and UDP', async t => {
  const port = await freePort()
  const server = createServer().listen(port)
  const socket = createSocket('udp4').bind(port)
  await Promise.all([once(server, 'listening'), once(socket, 'listening')])
  t.pass()
  socket.close()
  server.close()
})

onLinux('a port is another’s until its process ends', async t => {
  const module = fileURLToPath(new URL('free-port.ts', import.meta.url))
  const code = `import { freePort } from ${JSON.stringify(module)}; console.log(await freePort()); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  t.is(await claimPort(port), undefined)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const claim = await claimPort(port)
  t.truthy(claim)
  t.is(await claimPort(port), undefined)
  claim?.close()
})
