/**
 * From starting `seamark dns` to the first right answer for a service, in milliseconds: beside an apiserver, and from the
 * cluster's last state on disk (`--state-dir`) while there is no apiserver.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchCase, Figures } from '../bench-case.ts'
import { RunningServer } from '../running-server.ts'
import { seamarkWith } from '../servers/seamark.ts'

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

const run: BenchCase['run'] = async (stage): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const contender = seamarkWith('seamark, state', '', ['--state-dir', folder])
  const { kubeconfig, url } = await stage.cluster()
  const gate = await openGate(Number(new URL(url).port))
  const throughGate = join(folder, 'kubeconfig')
  writeFileSync(throughGate, readFileSync(kubeconfig, 'utf8').replace(url, `https://127.0.0.1:${gate.port}`))
  const start = async (): Promise<number> => {
    const { services, upstream } = stage
    const started = await RunningServer.start(contender, {
      services,
      kubeconfig: throughGate,
      upstream: upstream.address,
    })
    if (!started.ok) throw new Error(started.problem)
    await started.value.close()
    return started.value.startup
  }
  try {
    const beside = await start()
    gate.close()
    const alone = await start()
    return { 'beside an apiserver, ms': beside, 'from the last state, ms': alone }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export default { name: 'start', run } satisfies BenchCase
