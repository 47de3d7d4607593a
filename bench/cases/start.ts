/**
 * From starting `seamark dns` to the first right answer for a service, in milliseconds, and what that costs: beside an
 * apiserver, and from the cluster's last state on disk (`--state-dir`) while there is no apiserver; from the sources, and
 * from what the package carries.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { treeMemory, treeProcessorTime } from '../accounting.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import type { Contender } from '../contender.ts'
import { RunningServer } from '../running-server.ts'
import { seamarkWith } from '../servers/seamark.ts'
import type { Stage } from '../stage.ts'

/** A way to the apiserver that can be closed: the state on disk belongs to a server's URL. */
const openGate = async (port: number) => {
  const sockets = new Set<Socket>()
  const gate = createServer(client => {
    const server = connect(port, '127.0.0.1')
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server).pipe(client)
  })
  await once(gate.listen(0, '127.0.0.1'), 'listening')
  const close = (): void => {
    gate.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (gate.address() as AddressInfo).port, close }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const pinnedNode = join(root, 'bin/pinned-node')
/** As `bin/seamark dns` has it. */
const YOUNG_GENERATION = ['--min-semi-space-size=4', '--max-semi-space-size=4']

/** The same from this file: `bin/seamark` would choose. */
const from =
  (file: string) =>
  (contender: Contender): Contender => ({
    ...contender,
    prepare(setup) {
      const launch = contender.prepare(setup)
      if (typeof launch === 'string') return launch
      return { command: pinnedNode, args: [...YOUNG_GENERATION, join(root, file), ...launch.args] }
    },
  })

let isBuilt = false

/** What an installed package has, and a checkout after `npm ci`. */
const build = (): void => {
  if (!isBuilt) execFileSync(pinnedNode, [join(root, 'scripts/build.ts')], { stdio: 'inherit' })
  isBuilt = true
}

const measure = async (stage: Stage, form: (contender: Contender) => Contender): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const contender = form(seamarkWith('seamark, state', '', ['--state-dir', folder]))
  const { kubeconfig, url } = await stage.cluster()
  const gate = await openGate(Number(new URL(url).port))
  const throughGate = join(folder, 'kubeconfig')
  writeFileSync(throughGate, readFileSync(kubeconfig, 'utf8').replace(url, `https://127.0.0.1:${gate.port}`))
  const start = async () => {
    const { services, upstream } = stage
    const started = await RunningServer.start(contender, {
      services,
      kubeconfig: throughGate,
      upstream: upstream.address,
    })
    if (!started.ok) throw new Error(started.problem)
    const { pid, startup } = started.value
    const processor = treeProcessorTime(pid)
    const { resident } = treeMemory(pid)
    await started.value.close()
    return { startup, processor, resident }
  }
  try {
    const beside = await start()
    gate.close()
    const alone = await start()
    return {
      'beside an apiserver, ms': beside.startup,
      'from the last state, ms': alone.startup,
      'on the processor, ms': alone.processor,
      'resident then, MiB': alone.resident,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const run: BenchCase['run'] = async stage => {
  build()
  return { sources: await measure(stage, from('cmd/main.ts')), package: await measure(stage, from('dist/main.js')) }
}

export default { name: 'start', run } satisfies BenchCase
