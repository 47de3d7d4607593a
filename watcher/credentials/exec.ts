/**
 * Credentials from a program (Kubernetes documentation, "client-go credential plugins"): it is run when there is
 * nothing, when what it gave expires, and after a 401. Several requests wait for one run. It never gets a terminal.
 */
import { spawn } from 'node:child_process'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { SeamarkError, systemCode } from '#lib/errors.ts'
import type { Credentials, KeyPair } from '../credentials.ts'

export interface ExecOptions {
  readonly apiVersion: 'client.authentication.k8s.io/v1' | 'client.authentication.k8s.io/v1beta1'
  readonly command: string
  readonly args: readonly string[]
  /** The program's whole environment, without KUBERNETES_EXEC_INFO. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly installHint: string
  /** With `provideClusterInfo`: spec.cluster of what the program is told. */
  readonly cluster?: () => Promise<object>
  /** Where the kubeconfig says so: `FILE: users[0].user.exec`. */
  readonly place: string
  readonly clock: Clock
}

/** A plugin may ask a cloud; one that asks a person hangs. */
const TIMEOUT: Milliseconds = 60_000
/** What is kept of the program's complaints. Bytes. */
const COMPLAINT = 4096
/** So much output is no credential. Bytes. */
const MAXIMUM_OUTPUT = 1024 * 1024

interface Given {
  readonly token: string | undefined
  readonly keyPair: KeyPair | undefined
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export const execCredentials = (options: ExecOptions): Credentials => {
  let given: Given | undefined
  let running: Promise<Given> | undefined
  const get = async (): Promise<Given> => {
    if (given && options.clock.now() < given.expiresAt) return given
    running ??= ask(options).finally(() => {
      running = undefined
    })
    given = await running
    return given
  }
  return {
    async headers() {
      const { token } = await get()
      return token === undefined ? {} : { authorization: `Bearer ${token}` }
    },
    keyPair: async () => (await get()).keyPair,
    refused() {
      given = undefined
      return true
    },
  }
}

const ask = async (options: ExecOptions): Promise<Given> => {
  const { apiVersion, cluster } = options
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(cluster && { cluster: await cluster() }) },
  }
  return read(await run(options, JSON.stringify(info)), options)
}

/** A name that is looked up ends with EACCES where a folder of the PATH is closed to this user. */
const isNotFound = (command: string, cause: Error): boolean =>
  systemCode(cause) === 'ENOENT' || (systemCode(cause) === 'EACCES' && !command.includes('/'))

const run = (options: ExecOptions, info: string): Promise<string> => {
  const { command, args, environment, installHint, place, clock } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...environment, KUBERNETES_EXEC_INFO: info },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let complaint = ''
    let problem = ''
    const stop = (why: string) => {
      problem ||= why
      child.kill('SIGKILL')
      // A grandchild may hold the pipes open.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = clock.after(TIMEOUT, () => stop(`did not end within ${TIMEOUT / 1000} s`))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.length > MAXIMUM_OUTPUT) stop(`printed more than ${MAXIMUM_OUTPUT} bytes`)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-COMPLAINT)
    })
    child.on('error', cause => {
      timer.cancel()
      const why = isNotFound(command, cause) ? 'was not found' : `cannot be run (${cause.message})`
      const hint = installHint === '' ? '' : `\n${installHint.trim()}`
      reject(new SeamarkError('BAD_KUBECONFIG', `${place}: the program ${command} ${why}${hint}`, { cause }))
    })
    child.on('close', (code, signal) => {
      timer.cancel()
      if (code === 0 && problem === '') return resolve(output)
      const why = problem || `ended with ${signal ?? code}`
      const said = complaint.trim() === '' ? '' : `: ${complaint.trim()}`
      reject(new SeamarkError('API_REFUSED', `${place}: the program ${command} ${why}${said}`))
    })
  })
}

interface ExecCredential {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly status?: {
    readonly token?: unknown
    readonly clientCertificateData?: unknown
    readonly clientKeyData?: unknown
    readonly expirationTimestamp?: unknown
  }
}

const read = (output: string, { apiVersion, command, place }: ExecOptions): Given => {
  const bad = (what: string) =>
    new SeamarkError('API_REFUSED', `${place}: the program ${command} printed no ExecCredential: ${what}`)
  let credential: ExecCredential
  try {
    credential = JSON.parse(output)
  } catch {
    throw bad('its output is no JSON')
  }
  if (credential?.kind !== 'ExecCredential') throw bad(`kind is ${JSON.stringify(credential?.kind)}`)
  if (credential.apiVersion !== apiVersion) {
    throw bad(`apiVersion is ${JSON.stringify(credential.apiVersion)}, the kubeconfig asks for ${apiVersion}`)
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = credential.status ?? {}
  const certificate = text(clientCertificateData)
  const key = text(clientKeyData)
  if ((certificate === undefined) !== (key === undefined)) {
    throw bad('status needs clientCertificateData and clientKeyData together')
  }
  const keyPair = certificate !== undefined && key !== undefined ? { certificate, key } : undefined
  if (text(token) === undefined && !keyPair) throw bad('status has neither token nor clientCertificateData')
  const expiresAt =
    expirationTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(String(expirationTimestamp))
  if (Number.isNaN(expiresAt)) throw bad(`status.expirationTimestamp is ${JSON.stringify(expirationTimestamp)}`)
  return { token: text(token), keyPair, expiresAt }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
