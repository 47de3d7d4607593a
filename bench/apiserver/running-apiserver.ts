/** `seamark apiserver` as operators start it, in a process, a folder and on a port of its own, until `close`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { freePort } from '../../test/support/free-port.ts'
import { endChild } from '../end-child.ts'

const program = fileURLToPath(new URL('../../bin/seamark', import.meta.url))

/** Milliseconds. */
const START_DEADLINE = 120_000
const PROBE_INTERVAL = 5
const STOP_DEADLINE = 10_000

/** What a client needs to be the administrator. */
export interface Access {
  readonly url: string
  /** PEM. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const readAccess = (kubeconfig: string, url: string): Access => {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'))
  const pem = (text: string): string => Buffer.from(text, 'base64').toString()
  return {
    url,
    ca: pem(clusters[0].cluster['certificate-authority-data']),
    cert: pem(users[0].user['client-certificate-data']),
    key: pem(users[0].user['client-key-data']),
  }
}

export interface Reply {
  readonly code: number
  readonly text: string
}

/** `folder`: with a store in it already; it stays. */
export class RunningApiserverProgram {
  readonly folder: string
  readonly url: string
  readonly #port: number
  readonly #keep: boolean
  #child: ChildProcess
  #access: Access | undefined
  #agent: Agent | undefined
  /** Milliseconds from its start until it called itself ready. */
  startup = Number.NaN

  static async start(folder?: string): Promise<RunningApiserverProgram> {
    const port = await freePort()
    const running = new RunningApiserverProgram(folder ?? mkdtempSync(join(tmpdir(), 'seamark-bench-')), port, {
      keep: folder !== undefined,
    })
    try {
      await running.#ready()
    } catch (error) {
      await running.close()
      throw error
    }
    return running
  }

  private constructor(folder: string, port: number, { keep }: { readonly keep: boolean }) {
    this.folder = folder
    this.#port = port
    this.#keep = keep
    this.url = `https://127.0.0.1:${port}`
    this.#child = this.#spawn()
  }

  get pid(): number {
    return this.#child.pid!
  }

  get access(): Access {
    this.#access ??= readAccess(join(this.folder, 'admin.kubeconfig'), this.url)
    return this.#access
  }

  async send(method: string, path: string, body?: object): Promise<Reply> {
    this.#agent ??= new Agent({ ...this.access, keepAlive: true })
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = request(this.url + path, { method, agent: this.#agent, headers })
    sent.end(text)
    const [response] = await once(sent, 'response')
    let answer = ''
    for await (const chunk of response) answer += chunk
    return { code: response.statusCode, text: answer }
  }

  /** Throws where the apiserver refuses. */
  async make(path: string, body: object): Promise<Reply> {
    const reply = await this.send('POST', path, body)
    if (reply.code !== 201) throw new Error(`POST ${path}: ${reply.text}`)
    return reply
  }

  /** Ends the program; its folder stays until `close`. */
  async stop(): Promise<void> {
    this.#agent?.destroy()
    await endChild(this.#child, STOP_DEADLINE)
  }

  /** Starts it again after `stop`. */
  async again(): Promise<this> {
    this.#agent = undefined
    this.#child = this.#spawn()
    await this.#ready()
    return this
  }

  async close(): Promise<void> {
    await this.stop()
    if (!this.#keep) rmSync(this.folder, { recursive: true, force: true })
  }

  #spawn(): ChildProcess {
    const address = `127.0.0.1:${this.#port}`
    const args = ['apiserver', '--data-dir', this.folder, '--apiserver-address', address, '--log-level', 'error']
    return spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  }

  async #ready(): Promise<void> {
    const began = performance.now()
    while (!(await isReady(this.url))) {
      if (this.#child.exitCode !== null) throw new Error('the apiserver has ended')
      if (performance.now() - began > START_DEADLINE) throw new Error('the apiserver does not get ready')
      await wait(PROBE_INTERVAL)
    }
    this.startup = performance.now() - began
  }
}

/** Whether health checks pass: anybody may ask, and the certificate is of no matter. */
const isReady = (url: string): Promise<boolean> =>
  new Promise(resolve => {
    const sent = request(`${url}/readyz`, { rejectUnauthorized: false, agent: false }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.on('error', () => resolve(false))
    sent.end()
  })
