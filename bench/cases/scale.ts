/**
 * The whole DNS server beside an apiserver with 10,000 services and 100,000 endpoints (and, in a second figure, 100,000
 * pods to verify): memory as the system counts it, steady and while everything is listed anew, and time to ready.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ask } from '../../test/support/dns-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const apiserverFile = join(root, 'bench/scale/generated-apiserver.process.ts')
/** Milliseconds. Long enough for V8's idle collections. */
const SETTLE = 5000
const DEADLINE = 60_000

const corefile = (apiserver: string, pods: string): string => `.:0 {
    bind 127.0.0.1
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        endpoint http://127.0.0.1:${apiserver}
        pods ${pods}
    }
    prometheus 127.0.0.1:0
    ready 127.0.0.1:0
}
`

const sleep = (duration: number): Promise<void> => new Promise(resolve => setTimeout(resolve, duration))

/** MB, by the kernel: resident now, its part that no file backs, and the greatest since the last reset. */
const memory = (pid: number) => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  return { resident: field('VmRSS'), anonymous: field('RssAnon'), peak: field('VmHWM') }
}

/** proc(5): VmHWM starts over. */
const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

const lines = (child: ChildProcess): AsyncIterator<string> =>
  createInterface({ input: child.stdout! })[Symbol.asyncIterator]()

const startApiserver = async (): Promise<{ readonly child: ChildProcess; readonly port: string }> => {
  const child = spawn(process.execPath, [apiserverFile], { stdio: ['pipe', 'pipe', 'inherit'] })
  const { value: port } = await lines(child).next()
  return { child, port }
}

interface Dns {
  readonly child: ChildProcess
  readonly pid: number
  readonly address: (part: string) => string | undefined
}

/** As `bin/seamark dns` starts it; resolves with the addresses that it bound. */
const startDns = async (conf: string): Promise<Dns> => {
  const args = ['--max-semi-space-size=4', join(root, 'cmd/main.ts'), 'dns', '--conf', conf]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const addresses = await new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the DNS server ended with ${code}`)))
    child.on('message', (message: { type: string; addresses?: Record<string, string> }) => {
      if (message.type === 'ready') resolve(message.addresses ?? {})
    })
  })
  return { child, pid: child.pid!, address: part => addresses[part] }
}

const portOf = (address = ''): number => Number(address.split(':').at(-1))

const whenAnswered = async (port: number, name: string): Promise<void> => {
  const end = performance.now() + DEADLINE
  for (;;) {
    const reply = await ask({ port, name, deadline: 2000 }).catch(() => undefined)
    if (reply?.rcode === 'NOERROR' && reply.answers.length > 0) return
    if (performance.now() > end) throw new Error(`${name} was not answered in time`)
    await sleep(5)
  }
}

/** Lists that were finished, of all resources. */
const listsMade = async (metrics: string): Promise<number> => {
  const text = await (await fetch(`http://${metrics}/metrics`)).text()
  return [...text.matchAll(/^seamark_watcher_lists_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
}

const whenListed = async (metrics: string, count: number): Promise<void> => {
  const end = performance.now() + DEADLINE
  while ((await listsMade(metrics)) < count) {
    if (performance.now() > end) throw new Error('the lists were not made in time')
    await sleep(50)
  }
}

const measure = async (pods: string): Promise<Record<string, number>> => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const apiserver = await startApiserver()
  const began = performance.now()
  writeFileSync(join(folder, 'Corefile'), corefile(apiserver.port, pods))
  const dns = await startDns(join(folder, 'Corefile'))
  try {
    const metrics = dns.address('metrics')!
    await whenAnswered(portOf(dns.address('dns')), 'service-99.team-99.svc.cluster.local')
    const firstAnswer = performance.now() - began
    const lists = pods === 'verified' ? 4 : 3
    await whenListed(metrics, lists)
    const firstPeak = memory(dns.pid).peak
    await sleep(SETTLE)
    const steady = memory(dns.pid)
    resetPeak(dns.pid)
    apiserver.child.stdin!.write('relist\n')
    await whenListed(metrics, 2 * lists)
    const { peak } = memory(dns.pid)
    await sleep(SETTLE)
    const after = memory(dns.pid)
    return {
      [`pods ${pods}: first right answer, ms`]: firstAnswer,
      [`pods ${pods}: peak of the first list, MB`]: firstPeak,
      [`pods ${pods}: steady, MB`]: steady.resident,
      [`pods ${pods}: steady without files (RssAnon), MB`]: steady.anonymous,
      [`pods ${pods}: peak of a relist, MB`]: peak,
      [`pods ${pods}: peak of a relist, ratio`]: peak / steady.resident,
      [`pods ${pods}: steady after it, MB`]: after.resident,
    }
  } finally {
    dns.child.kill('SIGKILL')
    apiserver.child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

const run = async (): Promise<Record<string, number>> => ({
  ...(await measure('insecure')),
  ...(await measure('verified')),
})

export default { name: 'scale', run }
