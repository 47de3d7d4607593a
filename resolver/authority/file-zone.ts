/**
 * A zone that stands in a file, with the files that it includes. Read again when one of them changes; what is broken is
 * told, and the data from before is served on.
 */
import { readFile, stat } from 'node:fs/promises'
import type { Logger } from '#lib/log.ts'
import { type Result, refused } from '#lib/result.ts'
import { extendedErrorCodes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import type { DnsName } from '../wire/record.ts'
import { formatZoneFileProblem, readZoneFile } from '../zonefile/zone-file.ts'
import type { AuthorityZone } from './zone.ts'
import { ZoneBuilder } from './zone-builder.ts'
import type { ZoneMetrics } from './zone-metrics.ts'
import type { HeldZone } from './zone-server.ts'

export interface FileZoneOptions {
  readonly path: string
  /** Canonical. */
  readonly origin: DnsName
  readonly logger: Logger
  readonly metrics: ZoneMetrics
}

/** Tells one state of a file from another. */
const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
    () => 'absent',
  )

export class FileZone implements HeldZone {
  readonly #options: FileZoneOptions
  onChange: (() => void) | undefined
  #zone: AuthorityZone | undefined
  #problem: ExtendedError = { code: extendedErrorCodes.NOT_READY, text: 'the zone is not read yet' }
  /** Path → stamp, of all files that the last reading looked at. */
  #stamps: ReadonlyMap<string, string> = new Map()

  constructor(options: FileZoneOptions) {
    this.#options = options
  }

  get zone(): AuthorityZone | undefined {
    return this.#zone
  }

  get problem(): ExtendedError {
    return this.#problem
  }

  get path(): string {
    return this.#options.path
  }

  /** Reads the zone if a file has changed. Never rejects. */
  async check(): Promise<void> {
    if (await this.#isUnchanged(this.#stamps)) return
    const stamps = new Map<string, string>()
    const read = await this.#read(stamps)
    // Somebody is writing: what was read may be half of it. The next check sees the change.
    if (!(await this.#isUnchanged(stamps))) return
    this.#stamps = stamps
    if (read.ok) this.#take(read.value)
    else this.#fail(read.problem)
  }

  async #isUnchanged(stamps: ReadonlyMap<string, string>): Promise<boolean> {
    if (stamps.size === 0) return false
    for (const [path, stamp] of stamps) if ((await stampOf(path)) !== stamp) return false
    return true
  }

  async #read(stamps: Map<string, string>): Promise<Result<AuthorityZone, string>> {
    const { path: file, origin, logger } = this.#options
    const builder = new ZoneBuilder(origin)
    const read = await readZoneFile({
      file,
      origin,
      async readFile(path) {
        stamps.set(path, await stampOf(path))
        return readFile(path, 'utf8')
      },
      add: record => builder.add(record),
    })
    if (!read.ok) return refused(formatZoneFileProblem(read.problem))
    if (builder.outside > 0)
      logger.warn(
        { path: file, zone: origin, records: builder.outside },
        'records outside of the zone were passed over',
      )
    const zone = builder.finish()
    return zone.ok ? zone : refused(`${file}: ${zone.problem}`)
  }

  #take(zone: AuthorityZone): void {
    const { path, origin, logger, metrics } = this.#options
    const { serial } = zone
    if (this.#zone?.serial === serial)
      logger.warn({ path, zone: origin, serial }, 'zone changed without a new serial: its secondaries cannot know')
    else logger.info({ path, zone: origin, serial }, 'zone read')
    this.#zone = zone
    metrics.serial.set({ zone: origin }, serial)
    this.onChange?.()
  }

  #fail(problem: string): void {
    const { path, origin, logger, metrics } = this.#options
    metrics.failures.inc({ zone: origin })
    logger.error({ path, zone: origin, problem }, 'zone file cannot be used')
    // RFC 8914 §4.25: "cannot answer with current data for a zone it is otherwise configured to support".
    this.#problem = { code: extendedErrorCodes.INVALID_DATA, text: 'the zone file cannot be used: see the log' }
  }
}
