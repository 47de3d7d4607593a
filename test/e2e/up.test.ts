/** `seamark up` as people use it: start, start again, stop, and what it says when something is in the way. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { adminClient, NAMESPACES, SERVICES } from '../support/admin-client.ts'
import { spawnCluster, startCluster, TEST_COREFILE } from '../support/cluster.ts'
import { ask, askUntil } from '../support/dns-client.ts'
import { freePorts } from '../support/free-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const KUBERNETES = 'kubernetes.default.svc.cluster.local'

const get = async (url: string): Promise<{ status: number; body: string }> => {
  const response = await fetch(url)
  return { status: response.status, body: await response.text() }
}

/** Process ids whose parent is `pid`. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
    .map(Number)

const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** Tries until it works, while a part starts again. */
const eventually = async <Value>(attempt: () => Promise<Value>, deadline = 60_000): Promise<Value> => {
  const end = performance.now() + deadline
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

const gone = async (pids: readonly number[], deadline = 60_000): Promise<boolean> => {
  const end = performance.now() + deadline
  while (pids.some(isAlive)) {
    if (performance.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return true
}

test.serial('it starts, answers, says what runs where, and a second start continues', async t => {
  const cluster = await startCluster(t)
  const { addresses } = cluster
  for (const address of Object.values(addresses)) t.true(cluster.output.includes(address), cluster.output)
  t.is((await ask({ name: KUBERNETES, port: cluster.dnsPort })).answers[0]?.data, '10.96.0.1')
  t.is((await ask({ name: KUBERNETES, port: cluster.dnsPort, transport: 'tcp' })).answers[0]?.data, '10.96.0.1')
  t.is((await get(`http://${addresses.health}/health`)).body, 'OK')
  t.is((await get(`http://${addresses.ready}/ready`)).status, 200)
  t.regex(
    (await get(`http://${addresses.metrics}/metrics`)).body,
    /coredns_dns_requests_total\{.*proto="tcp".*type="A".*\} 1\n/,
  )
  t.is(statSync(cluster.kubeconfig).mode & 0o777, 0o600)
  t.is(statSync(cluster.folder).mode & 0o777, 0o700)
  const client = await adminClient(t, cluster.kubeconfig)
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } })
  const authority = readFileSync(cluster.kubeconfig, 'utf8').match(/certificate-authority-data: (.*)/)?.[1]
  t.deepEqual(await cluster.stop(), { code: 0, signal: null })

  const again = await startCluster(t, { folder: cluster.folder })
  t.is(readFileSync(again.kubeconfig, 'utf8').match(/certificate-authority-data: (.*)/)?.[1], authority)
  const secondClient = await adminClient(t, again.kubeconfig)
  t.is((await secondClient.get(NAMESPACES, { name: 'kept' })).metadata.name, 'kept')
})

test.serial('Ctrl-C ends both parts, and so does a kill -9 of `seamark up`', async t => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const cluster = await startCluster(t)
    const parts = childrenOf(cluster.child.pid as number)
    t.is(parts.length, 2)
    cluster.child.kill(signal)
    const { code } = await cluster.exited
    t.is(code, signal === 'SIGINT' ? 0 : null)
    t.true(await gone(parts), `parts outlive ${signal}`)
  }
})

test.serial(
  'the DNS part has a small young generation, the control plane a large one, as `bin/seamark` gives them',
  async t => {
    const cluster = await startCluster(t)
    const commands = childrenOf(cluster.child.pid as number).map(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    const sizeOf = (part: string) =>
      commands
        .filter(command => command.includes(`\0${part}\0`))
        .map(command => /--min-semi-space-size=(\d+)\0--max-semi-space-size=\1\0/.exec(command)?.[1])
    t.deepEqual([sizeOf('dns'), sizeOf('control-plane')], [['4'], ['64']])
  },
)

test.serial('Ctrl-C at a terminal reaches every process, and each still stops in order', async t => {
  const cluster = await startCluster(t, { ownGroup: true })
  t.deepEqual(await cluster.interruptGroup(), { code: 0, signal: null })
  for (const part of ['control-plane', 'dns'] as const) t.regex(cluster.log(part), /stopped\n$/)
})

test.serial('a part that dies is started again on the same addresses, and the other one serves on', async t => {
  // Claimed: while a part is away, nobody else takes them.
  const parts = ['apiserver', 'dns', 'metrics', 'health', 'ready', 'admin']
  const ports = await freePorts(parts.length)
  const args = parts.flatMap((part, index) => [`--${part}-address`, `127.0.0.1:${ports[index]}`])
  const cluster = await startCluster(t, { args })
  const { dnsPort } = cluster
  const client = await adminClient(t, cluster.kubeconfig)
  const find = (part: string): number => {
    const isIt = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(part)
    const pid = childrenOf(cluster.child.pid as number).find(isIt)
    if (pid === undefined) throw new Error(`${part} does not run`)
    return pid
  }
  const [dns, controlPlane] = [find('dns'), find('control-plane')]

  process.kill(controlPlane, 'SIGKILL')
  t.is((await ask({ name: KUBERNETES, port: dnsPort })).answers[0]?.data, '10.96.0.1')
  process.kill(dns, 'SIGKILL')
  t.true(await gone([dns, controlPlane]))
  await askUntil({ name: KUBERNETES, port: dnsPort }, reply => reply.answers[0]?.data === '10.96.0.1')
  // The client connects again, and so does the DNS server's watch.
  const next = await eventually(async () => find('control-plane'))
  process.kill(next, 'SIGKILL')
  t.true(await gone([next]))
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'after', namespace: 'default' },
    spec: { clusterIP: '10.96.0.77', ports: [{ port: 80 }] },
  }
  await eventually(() => client.create(SERVICES, service))
  const after = { name: 'after.default.svc.cluster.local', port: dnsPort }
  t.is((await askUntil(after, reply => reply.rcode === 'NOERROR')).answers[0]?.data, '10.96.0.77')
})

test.serial('a taken port is named, with the flag that sets it', async t => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => squatter.once('listening', resolve))
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as { port: number }
  for (const flag of ['--apiserver-address', '--dns-address', '--metrics-address']) {
    const cluster = spawnCluster(t, { args: [flag, `127.0.0.1:${port}`] })
    t.is((await cluster.exited).code, 1)
    t.regex(cluster.output, new RegExp(`127\\.0\\.0\\.1:${port} \\(${flag}\\) is taken by another program`))
    t.regex(cluster.output, /choose another address/)
  }
})

test("a directory that is not Seamark's is left untouched", async t => {
  const folder = join(temporaryFolder(t), 'data')
  mkdirSync(folder)
  writeFileSync(join(folder, 'thesis.txt'), 'mine')
  const cluster = spawnCluster(t, { folder })
  t.is((await cluster.exited).code, 1)
  t.regex(cluster.output, /holds other files \(thesis\.txt/)
  t.regex(cluster.output, /--data-dir/)
  t.deepEqual(readdirSync(folder), ['thesis.txt'])
})

test.serial('a second Seamark on the same directory is refused', async t => {
  const cluster = await startCluster(t)
  const second = spawnCluster(t, { folder: cluster.folder })
  t.is((await second.exited).code, 1)
  t.regex(second.output, /DATA_DIR_LOCKED|Another Seamark runs on this directory/)
  t.is((await ask({ name: KUBERNETES, port: cluster.dnsPort })).rcode, 'NOERROR')
})

test.serial('a broken Corefile is an error with file and line', async t => {
  const cluster = spawnCluster(t, { corefile: TEST_COREFILE.replace('prometheus', 'promtheus') })
  t.is((await cluster.exited).code, 1)
  t.regex(cluster.output, /Corefile:8: unknown directive "promtheus".*prometheus/)
  t.false(existsSync(join(cluster.folder, 'cluster.json')), 'something was made')
})
