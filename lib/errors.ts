/**
 * The world's failures: one class, one table of stable codes. (Bad input is a `Result`; bugs are `node:assert`.)
 * A code never changes its meaning; `docs/errors.md` lists every one, and a test holds the two together.
 */

/** Code → what people can do about it. The advice is printed under the message. */
export const ERROR_ADVICE = {
  ADDRESS_IN_USE:
    'Stop the program that listens there, or choose another address with the flag that the message names.',
  ADDRESS_NOT_AVAILABLE: 'Name an address that this machine has, or 127.0.0.1.',
  ADDRESS_NOT_PERMITTED:
    'Ports below 1024 need root (or CAP_NET_BIND_SERVICE); choose a higher port with the flag that the message names.',
  BAD_OPTION: 'See --help for the values that the option takes.',
  BAD_COREFILE:
    'Mend what the message names, or name another file with -conf; nothing was started and nothing was changed.',
  BAD_KUBECONFIG: 'Check the file, or name another one with --kubeconfig.',
  DATA_DIR_FOREIGN:
    'Name an empty or a new directory with --data-dir; this one was not made by Seamark and is left untouched.',
  DATA_DIR_LOCKED: 'Another Seamark runs on this directory: stop it, or name another directory with --data-dir.',
  DATA_DIR_UNUSABLE: 'Check that the directory exists, is writable and has space, or name another one with --data-dir.',
  STORE_CORRUPT: 'Restore the data directory from a copy, or start on a new one with --data-dir.',
  STORE_NEWER:
    'Run the Seamark that wrote this directory, or a newer one; or start on a new directory with --data-dir.',
  STORE_CLOSED: 'The store is shutting down; try again once it runs.',
  CLUSTER_ABSENT: "Start one with 'seamark up', or name its directory with --data-dir.",
  FILE_UNUSABLE: 'Check that the path is right, and that this user may read (or write) the file.',
  DNS_UNREACHABLE: 'Check that the DNS server runs on this machine, and name its address with --admin-address.',
  API_UNREACHABLE: 'Check that the apiserver runs, and that the kubeconfig names its address and its authority.',
  API_REFUSED:
    'Check the credentials of the kubeconfig, or of the pod’s service account, and the rights that they carry.',
  NAMESPACE_UNKNOWN: 'Create it first (kubectl create namespace NAME), or name another one with -n.',
  NOT_ROOT: 'Run the command as root: it makes network and mount namespaces.',
  PROGRAM_MISSING: 'Install the program that the message names.',
  PACKAGE_MISSING: "Run 'npm ci' in the folder that the message names.",
  CHILD_FAILED: 'Read the log that the message names; its last lines say why.',
} as const

export type ErrorCode = keyof typeof ERROR_ADVICE

/** A failure of the world around the program. `message` says what happened to what; `code` is stable. */
export class SeamarkError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'SeamarkError'
    this.code = code
  }

  get advice(): string {
    return ERROR_ADVICE[this.code]
  }
}

/** The code of a Node or system error (`ECONNREFUSED`, `SQLITE_CORRUPT` …), if it carries one. */
export const systemCode = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Turns a failed listen into the error that names the address and the flag that sets it. */
export const listenError = (error: unknown, address: string, flag: string): SeamarkError => {
  const cause = { cause: error }
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return new SeamarkError('ADDRESS_IN_USE', `${address} (${flag}) is taken by another program`, cause)
    case 'EACCES':
      return new SeamarkError('ADDRESS_NOT_PERMITTED', `not permitted to listen on ${address} (${flag})`, cause)
    default:
      return new SeamarkError(
        'ADDRESS_NOT_AVAILABLE',
        `cannot listen on ${address} (${flag}): ${error instanceof Error ? error.message : String(error)}`,
        cause,
      )
  }
}
