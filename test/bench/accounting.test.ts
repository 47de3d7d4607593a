import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'
import test from 'ava'
import { treeMemory, treeProcessorTime } from '../../bench/accounting.ts'

/** A program that starts another, which computes for `duration` ms of processor time and then says so. */
const busyChild = (duration: number): string =>
  `const { spawn } = require('node:child_process')
   const child = spawn(process.execPath, ['-e', \`
     const kept = Buffer.alloc(64 * 1024 * 1024, 1)
     while (process.cpuUsage().user < ${duration * 1000}) for (let i = 0; i < 1e5; i++);
     console.log(kept.length)
     setInterval(() => {}, 1000)
   \`], { stdio: ['ignore', 'inherit', 'inherit'] })
   process.on('SIGTERM', () => { child.kill(); process.exit() })
   setInterval(() => {}, 1000)`

const run = platform() === 'linux' ? test : test.skip

run('processor time and memory are those of the whole tree', async t => {
  const child = spawn(process.execPath, ['-e', busyChild(300)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  await once(child.stdout, 'data')
  const spent = treeProcessorTime(child.pid!)
  // The program itself only started another: two starts of Node and the loop.
  t.true(spent >= 300, `${spent} ms`)
  const { resident, anonymous } = treeMemory(child.pid!)
  t.true(anonymous >= 64, `${anonymous} MiB`)
  t.true(resident >= anonymous)
})

run('a process that is gone costs nothing', t => {
  // Beyond the greatest process id (proc(5), pid_max).
  const gone = 2 ** 22 + 1
  t.is(treeProcessorTime(gone), 0)
  t.deepEqual(treeMemory(gone), { resident: 0, anonymous: 0, peak: 0 })
})
