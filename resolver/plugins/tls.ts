/**
 * tls: the certificate of the block's listeners of `tls://` and `https://`, and what they ask of clients'. The files are
 * looked at again while the server runs: new connections get the new certificate, nothing is closed. What cannot be used
 * is not taken over.
 */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, readFileSync, statSync, type WriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Milliseconds } from '#lib/clock.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import { type ClientAuth, clientAuths, type TlsCredentials, type TlsIdentity } from '../listener.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'

const options = {
  client_auth: {
    kind: 'choice',
    syntax: clientAuths.join('|'),
    choices: clientAuths,
    default: 'nocert',
    doc: 'what clients must show: nothing; a certificate if they like; any; a valid one if any; a valid one',
  },
  keylog: {
    kind: 'words',
    syntax: 'FILE',
    minimum: 1,
    maximum: 1,
    absent: 'none',
    doc: 'a file to which the secrets of all connections are written: who has it can read the traffic; to look for errors only',
  },
} as const satisfies PropertyTable

const metrics = {
  expiry: {
    kind: 'gauge',
    name: 'seamark_tls_certificate_expiration_timestamp_seconds',
    help: 'When the certificate in use ends, in seconds since 1970.',
    labels: ['certificate'],
  },
  failures: {
    kind: 'counter',
    name: 'seamark_tls_reload_failures_total',
    help: 'Changed certificates that were not taken over because they cannot be used.',
    labels: ['certificate'],
  },
} as const satisfies MetricTable

/** How often the files are looked at. cert-manager and Secret volumes replace them long before the old ones end. */
const LOOK_INTERVAL: Milliseconds = 5000

interface CredentialFiles {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
}

interface Loaded {
  /** Of the files before they were read: a change in between is seen at the next look. */
  readonly fingerprint: string
  readonly credentials: TlsCredentials
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** What the directive says besides the files of the certificate. */
interface Demands {
  readonly clientAuth: ClientAuth
  readonly keylogFile: string | undefined
}

export const tlsPlugin: PluginModule = {
  name: 'tls',
  options,
  metrics,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    const { client_auth: clientAuth, keylog } = reader.properties(options)
    const files = readFiles(reader, directive, environment.folder)
    const loaded = files && load(files)
    if (loaded && !loaded.ok) reader.refuse(directive.name, loaded.problem)
    return reader.finish((): Plugin => {
      if (!files || !loaded?.ok) return { name: 'tls' }
      const [word] = keylog[0]?.arguments ?? []
      const keylogFile = word && resolve(environment.folder, word.text)
      return new Tls(files, { ...loaded.value, clientAuth, keylogFile }, environment)
    })
  },
}

const readFiles = (reader: DirectiveReader, directive: Directive, folder: string): CredentialFiles | undefined => {
  const [cert, key, ca] = directive.arguments.map(({ text }) => resolve(folder, text))
  reader.limitArguments(3)
  if (cert !== undefined && key !== undefined) return { cert, key, ca }
  reader.refuse(directive.name, 'needs a certificate and its key (CERT KEY [CA])')
  return undefined
}

/** Differs when a file was replaced, by a rename or through a link, or written to. */
const fingerprintOf = (files: CredentialFiles): string =>
  [files.cert, files.key, files.ca]
    .map(path => {
      const file = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
      return file ? `${file.ino} ${file.mtimeMs} ${file.size}` : ''
    })
    .join('|')

/** Reads the files and sees whether TLS can work with them. */
const load = (files: CredentialFiles): Result<Loaded, string> => {
  const fingerprint = fingerprintOf(files)
  try {
    const cert = readFileSync(files.cert)
    const key = readFileSync(files.key)
    const ca = files.ca === undefined ? {} : { ca: readFileSync(files.ca) }
    const credentials = { cert, key, ...ca }
    createSecureContext(credentials)
    return accepted({ fingerprint, credentials, expires: new X509Certificate(cert).validToDate.getTime() })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return refused(`the certificate cannot be read or used: ${reason}`)
  }
}

class Tls implements Plugin, TlsIdentity {
  readonly name = 'tls'
  readonly clientAuth: ClientAuth
  credentials: TlsCredentials
  readonly #files: CredentialFiles
  readonly #environment: Environment
  readonly #metrics: Metrics<typeof metrics>
  /** Of the files as they were when they were last tried. */
  #fingerprint: string
  #expires: number
  readonly #looks: Recurrence
  readonly #keylogFile: string | undefined
  #keys: WriteStream | undefined

  constructor(files: CredentialFiles, loaded: Loaded & Demands, environment: Environment) {
    this.#keylogFile = loaded.keylogFile
    this.#files = files
    this.#environment = environment
    this.#metrics = registerMetrics(environment.registry, metrics)
    this.clientAuth = loaded.clientAuth
    this.credentials = loaded.credentials
    this.#fingerprint = loaded.fingerprint
    this.#expires = loaded.expires
    this.#tellExpiry()
    const task = () => {
      this.#look()
      this.#tellExpiry()
    }
    this.#looks = new Recurrence({ clock: environment.clock, interval: LOOK_INTERVAL, task })
  }

  get identity(): TlsIdentity {
    return this
  }

  async start(): Promise<void> {
    this.#looks.begin()
    if (this.#keylogFile !== undefined) await this.#openKeylog(this.#keylogFile)
  }

  get keylog(): TlsIdentity['keylog'] {
    return this.#keylogFile === undefined ? undefined : line => void this.#keys?.write(line)
  }

  async close(): Promise<void> {
    this.#looks.end()
    this.#keys?.end()
    this.#keys = undefined
    // One who goes on with the same certificate tells it again at its next look.
    this.#metrics.expiry.remove({ certificate: this.#files.cert })
  }

  /** Rejects if it cannot be written. */
  async #openKeylog(path: string): Promise<void> {
    const { logger } = this.#environment
    // The owner's alone: whoever reads it reads the traffic.
    const keys = createWriteStream(path, { flags: 'a', mode: 0o600 })
    await once(keys, 'open')
    keys.on('error', error => logger.error({ error, path }, 'the secrets of TLS connections cannot be written'))
    logger.warn({ path }, 'the secrets of TLS connections are written to a file: whoever has it can read the traffic')
    this.#keys = keys
  }

  #tellExpiry(): void {
    this.#metrics.expiry.set({ certificate: this.#files.cert }, this.#expires / 1000)
  }

  #look(): void {
    const fingerprint = fingerprintOf(this.#files)
    if (fingerprint === this.#fingerprint) return
    this.#fingerprint = fingerprint
    const certificate = this.#files.cert
    const { logger } = this.#environment
    const loaded = load(this.#files)
    if (!loaded.ok) {
      this.#metrics.failures.inc({ certificate })
      logger.error({ certificate, problem: loaded.problem }, 'the changed certificate is not taken over')
      return
    }
    const { credentials, expires } = loaded.value
    this.credentials = credentials
    this.#expires = expires
    logger.info({ certificate, expires: new Date(expires).toISOString() }, 'the certificate was replaced')
  }
}
