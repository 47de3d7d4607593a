/** A server that the bench started: on a free port of loopback, in a folder of its own, until `close`. */
import assert from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { accepted, type Result, refused } from '#lib/result.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { freePort } from '../test/support/free-port.ts'
import type { Contender, Encryption, Setup } from './contender.ts'
import { endChild } from './end-child.ts'
import type { Transport } from './load.ts'

const ADDRESS = '127.0.0.1'
/** Milliseconds. */
const START_DEADLINE = 60_000
const PROBE_INTERVAL = 5
const STOP_DEADLINE = 5_000

/** Characters: enough to tell why it ended. A query log comes this way too. */
const KEPT_OUTPUT = 4096

/** RFC 1035 §4.1.1. */
const isRightAnswer = (reply: Buffer): boolean => (reply[3]! & 15) === 0 && reply.readUInt16BE(6) > 0

interface Given extends Omit<Setup, 'folder' | 'address' | 'port' | 'encryption'> {
  /** Absent: UDP and TCP only. */
  readonly identity?: Pick<Encryption, 'certificate' | 'key'>
}

export class RunningServer {
  readonly address = ADDRESS
  readonly contender: Contender
  readonly port: number
  /** Milliseconds from its start to the first right answer. */
  startup = Number.NaN
  readonly #encryption: Encryption | undefined
  readonly #child: ChildProcess
  readonly #folder: string
  #output = ''

  /** Starts it and waits until it answers for a service; the problem: why it cannot run here. */
  static async start(contender: Contender, { identity, ...given }: Given): Promise<Result<RunningServer, string>> {
    const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
    const port = await freePort()
    const encryption = identity && { ...identity, tlsPort: await freePort(), httpsPort: await freePort() }
    const launch = contender.prepare({ ...given, folder, address: ADDRESS, port, ...(encryption && { encryption }) })
    if (typeof launch === 'string') {
      rmSync(folder, { recursive: true })
      return refused(launch)
    }
    const child = spawn(launch.command, launch.args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const server = new RunningServer(contender, { child, folder, port, ...(encryption && { encryption }) })
    try {
      await server.#answers(given.services[0]!.name)
    } catch (error) {
      await server.close()
      throw error
    }
    return accepted(server)
  }

  private constructor(
    contender: Contender,
    {
      child,
      folder,
      port,
      encryption,
    }: Pick<Setup, 'folder' | 'port' | 'encryption'> & { readonly child: ChildProcess },
  ) {
    this.contender = contender
    this.port = port
    this.#encryption = encryption
    this.#child = child
    this.#folder = folder
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => (this.#output = `${this.#output}${chunk}`.slice(-KEPT_OUTPUT)))
  }

  portOf(transport: Transport): number {
    if (transport === 'udp' || transport === 'tcp') return this.port
    assert(this.#encryption, `${this.contender.name} was started without encryption`)
    return transport === 'tls' ? this.#encryption.tlsPort : this.#encryption.httpsPort
  }

  get pid(): number {
    return this.#child.pid!
  }

  async close(): Promise<void> {
    await endChild(this.#child, STOP_DEADLINE)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answers(name: string): Promise<void> {
    const began = performance.now()
    const query = encodeQuery({ id: 1, name, type: recordTypes.A, recursionDesired: true, edns: undefined })
    const socket = createSocket('udp4')
    let right = false
    const isEcho = this.contender.lacks?.includes('answers')
    socket.on('message', reply => (right ||= isEcho || isRightAnswer(reply)))
    // Nobody listens there yet.
    socket.on('error', () => {})
    while (!right) {
      if (this.#child.exitCode !== null || performance.now() - began > START_DEADLINE) {
        socket.close()
        throw new Error(`${this.contender.name} does not answer:\n${this.#output}`)
      }
      socket.send(query, this.port, ADDRESS)
      await wait(PROBE_INTERVAL)
    }
    this.startup = performance.now() - began
    socket.close()
  }
}
