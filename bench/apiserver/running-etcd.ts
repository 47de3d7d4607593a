/** etcd as its package has it, alone, in a folder of its own, spoken to over gRPC without TLS. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../test/support/free-port.ts'
import { findProgram } from '../../test/support/programs.ts'
import { type HttpLoad, type HttpLoadReport, runHttpLoad } from './http-load.ts'

/** Milliseconds. */
const START_DEADLINE = 20_000
const PROBE_INTERVAL = 20

/** Protocol Buffers, wire type 2: a length below 2^14 takes one or two bytes. */
const field = (number: number, bytes: Uint8Array): Buffer => {
  const { length } = bytes
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes])
}

/** etcdserverpb.PutRequest (1 key, 2 value) in gRPC's frame: not compressed, then the length. */
const putMessage = (key: string, value: Uint8Array): Buffer => {
  const message = Buffer.concat([field(1, Buffer.from(key)), field(2, value)])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

const listens = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

export class RunningEtcd {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #port: number

  /** Undefined: there is none here. */
  static async start(): Promise<RunningEtcd | undefined> {
    const program = findProgram('etcd')
    if (!program) return undefined
    const [clients, peers] = [await freePort(), await freePort()]
    const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
    const [client, peer] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`]
    const listen = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer]
    const cluster = ['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`]
    const args = ['--data-dir', folder, ...listen, ...cluster, '--log-level', 'error']
    const etcd = new RunningEtcd(spawn(program, args, { stdio: 'ignore' }), folder, clients)
    for (const began = performance.now(); !(await listens(clients)); await wait(PROBE_INTERVAL)) {
      if (performance.now() - began < START_DEADLINE) continue
      await etcd.close()
      throw new Error('etcd does not listen')
    }
    return etcd
  }

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child
    this.#folder = folder
    this.#port = port
  }

  /**
   * Puts of one key by so many clients over so many connections, which `clients` is a multiple of. etcd keeps every version
   * anyway.
   */
  put(value: Uint8Array, load: Pick<HttpLoad, 'clients' | 'connections' | 'seconds'>): Promise<HttpLoadReport> {
    return runHttpLoad({
      url: `http://127.0.0.1:${this.#port}/etcdserverpb.KV/Put`,
      body: putMessage('/registry/services/specs/bench/service', value),
      headers: { 'content-type': 'application/grpc', te: 'trailers' },
      protocol: 'HTTP/2',
      ...load,
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
