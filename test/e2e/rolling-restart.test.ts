/**
 * Two servers behind something that spreads clients over those that say they are ready, as kube-proxy does, restarted one
 * after the other under load: no client notices. `SEAMARK_RESTARTS=100` for the measured aim.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DnsLoad } from '../support/dns-load.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePorts } from '../support/free-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const RESTARTS = Number(process.env.SEAMARK_RESTARTS ?? 4)
/** Milliseconds that a server goes on answering after it has said that it is not ready. */
const LAMEDUCK = 1000
/** Milliseconds between two looks at `/ready`: how late clients hear that a server leaves. */
const LOOK = 50

class Replica {
  readonly port: number
  isReady = false
  /** Whoever saw it ready may ask it for as long: a machine that stands still has clients that hear late. */
  until = 0
  readonly #t: ExecutionContext
  readonly #readyPort: number
  readonly #file: string
  #process: DnsProcess | undefined

  constructor(t: ExecutionContext, ports: readonly [number, number, number]) {
    this.#t = t
    this.port = ports[0]
    this.#readyPort = ports[1]
    this.#file = join(temporaryFolder(t), 'Corefile')
    const health = `health 127.0.0.1:${ports[2]} {\n lameduck ${LAMEDUCK}ms\n}`
    const hosts = 'hosts /nowhere {\n 192.0.2.1 www.example.org\n}'
    writeFileSync(
      this.#file,
      `.:${this.port} {\n bind 127.0.0.1\n ready 127.0.0.1:${this.#readyPort}\n${health}\n${hosts}\n}\n`,
    )
  }

  async start(): Promise<void> {
    // No machine is too slow to end what it has begun.
    this.#process = new DnsProcess(this.#t, this.#file, ['--drain-timeout', '60000'])
    await this.#process.whenReady()
  }

  async restart(): Promise<void> {
    this.#t.is(await this.#process?.stop(), 0)
    await this.start()
    while (!this.isReady) await new Promise(resolve => setTimeout(resolve, LOOK))
  }

  async look(): Promise<void> {
    const start = performance.now()
    const page = await fetch(`http://127.0.0.1:${this.#readyPort}/ready`).catch(() => undefined)
    this.isReady = page?.status === 200
    this.until = start + LAMEDUCK
  }
}

test('a rolling restart under load: every query is answered', async t => {
  t.timeout(120_000 + RESTARTS * 60_000)
  const ports = await freePorts(6)
  const replicas = [0, 3].map(at => new Replica(t, ports.slice(at, at + 3) as unknown as [number, number, number]))
  await Promise.all(replicas.map(replica => replica.start()))
  let over = false
  const looking = (async () => {
    while (!over) {
      await Promise.all(replicas.map(replica => replica.look()))
      await new Promise(resolve => setTimeout(resolve, LOOK))
    }
  })()
  while (!replicas.every(({ isReady }) => isReady)) await new Promise(resolve => setTimeout(resolve, LOOK))
  let turn = 0
  const server = () => {
    const ready = replicas.filter(({ isReady }) => isReady)
    const { port, until } = ready[turn++ % ready.length] ?? replicas[0]!
    return { address: '127.0.0.1', port, until }
  }
  const load = new DnsLoad({ server, name: 'www.example.org.', rate: 500 })
  for (let round = 0; round < RESTARTS; round++) await replicas[round % 2]!.restart()
  const { lost, wrong, ...asked } = await load.stop()
  over = true
  await looking
  t.log(`${RESTARTS} restarts: asked ${JSON.stringify(asked)}, lost ${lost.length}`)
  t.deepEqual(lost, [])
  t.is(wrong, 0)
})
