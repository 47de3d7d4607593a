/**
 * A process that sees what a pod sees: a network namespace with nothing but loopback, and a mount namespace with its own
 * /etc/resolv.conf. It waits at a gate until its world is complete, then becomes the command.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { SeamarkError, systemCode } from '#lib/errors.ts'

/**
 * Runs as the child: mounts $1 over /etc/resolv.conf, says so on descriptor 3, waits for a line on descriptor 4, and
 * becomes the rest of the arguments.
 */
const SCRIPT = `
set -e
mount --bind "$1" /etc/resolv.conf
shift
echo ready >&3
exec 3>&-
read -r go <&4
exec 4<&-
exec "$@"
`

export interface PodProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** Opens the gate. */
  go(): void
}

/** Resolves when both namespaces stand and resolv.conf is mounted. */
export const startPodProcess = (resolvConf: string, command: readonly string[]): Promise<PodProcess> =>
  new Promise((resolve, reject) => {
    // Our compile cache is not the command's.
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env
    const child = spawn('unshare', ['--net', '--mount', '--', 'sh', '-c', SCRIPT, 'sh', resolvConf, ...command], {
      env: environment,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'pipe'],
    })
    child.once('error', error => {
      const missing = systemCode(error) === 'ENOENT'
      reject(
        missing
          ? new SeamarkError('PROGRAM_MISSING', "the program 'unshare' is missing (Debian: util-linux)", {
              cause: error,
            })
          : error,
      )
    })
    const ended = (code: number | null): void => {
      reject(new SeamarkError('NOT_ROOT', `could not make the namespaces (exit code ${code}; the line above says why)`))
    }
    child.once('exit', ended)
    const ready = child.stdio[3] as Readable
    const gate = child.stdio[4] as Writable
    ready.once('data', () => {
      child.off('exit', ended)
      resolve({ child, pid: child.pid as number, go: () => gate.end('go\n') })
    })
  })
