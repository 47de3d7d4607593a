/** auto: serves the zones whose files stand in a folder; files that come and go bring and take their zones. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { RE2JS } from 're2js'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { FileZone } from '../authority/file-zone.ts'
import { FileZones } from '../authority/file-zones.ts'
import { zoneMetrics } from '../authority/zone-metrics.ts'
import { readFallthrough, zoneOptions } from '../authority/zone-options.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { readPattern } from '../corefile/pattern.ts'
import type { Directive, Word } from '../corefile/syntax.ts'
import type { Next } from '../next.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import type { Verdict } from '../verdict.ts'
import { canonicalName, isSubdomain, parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

const NAME = 'auto'

const options = {
  directory: {
    kind: 'words',
    syntax: 'DIR [REGEXP ORIGIN [SECONDS]]',
    minimum: 1,
    maximum: 4,
    absent: 'needed; `db\\.(.*)` and `{1}`',
    doc: 'the folder with its subfolders; a file whose name the RE2 pattern matches is the zone ORIGIN, where `{1}` is the first group; SECONDS is an old way to say `reload`',
  },
  reload: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 60_000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'time between looks at the folder and its files; 0: they are read once',
  },
  ...zoneOptions,
} as const satisfies PropertyTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly folder: string
  readonly pattern: RE2JS
  /** `{1}`, `{1}.example.org`. */
  readonly template: string
  readonly reload: Milliseconds
  readonly fallthrough: readonly DnsName[]
}

export const autoPlugin: PluginModule = {
  name: NAME,
  options,
  metrics: zoneMetrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const [folder, pattern, template, seconds] = values.directory[0]?.arguments ?? []
    if (!folder) reader.refuse(directive.name, 'needs "directory": the folder with the zone files')
    if (pattern && !template) reader.refuse(pattern, 'the pattern needs an origin after it, like {1}')
    const matching = readMatching(reader, directive, pattern, template)
    const settings = {
      zones: reader.zones(directive.arguments, block.zones),
      folder: resolve(environment.folder, folder?.text ?? ''),
      reload: readReload(reader, directive, values.reload, seconds),
      fallthrough: readFallthrough(reader, values.fallthrough),
    }
    return reader.finish((): Plugin => new Auto({ ...settings, ...matching! }, environment))
  },
}

/** CoreDNS's old place for it gives way to `reload`. */
const readReload = (
  reader: DirectiveReader,
  { properties }: Directive,
  reload: Milliseconds,
  seconds: Word | undefined,
): Milliseconds => {
  const old = seconds && 1000 * reader.number(seconds, { minimum: 1, maximum: 86_400, unit: 'seconds' })
  return old === undefined || properties.some(({ name }) => name.text === 'reload') ? reload : old
}

/** Undefined: it was refused. */
const readMatching = (
  reader: DirectiveReader,
  directive: Directive,
  patternWord: Word | undefined,
  templateWord: Word | undefined,
): Pick<Settings, 'pattern' | 'template'> | undefined => {
  const template = templateWord?.text ?? '{1}'
  const pattern = readPattern(reader, patternWord ?? { text: 'db\\.(.*)', position: directive.name.position })
  if (!pattern) return undefined
  const groups = pattern.namedGroups()
  for (const [whole, group = ''] of template.matchAll(/\{(\w+)\}/g)) {
    const isKnown = /^\d+$/.test(group) ? Number(group) <= pattern.groupCount() : Object.hasOwn(groups, group)
    if (!isKnown) reader.refuse(templateWord ?? patternWord!, `the pattern has no group for "${whole}"`)
  }
  return { pattern, template }
}

class Auto extends FileZones {
  readonly #settings: Settings

  constructor(settings: Settings, environment: Environment) {
    super({ name: NAME, environment, ...settings })
    this.#settings = settings
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName: name } = query.question
    if (!this.#settings.zones.some(zone => isSubdomain(name, zone))) return next(query)
    return this.server.handle(query, next) ?? next(query)
  }

  protected async look(): Promise<void> {
    const { folder } = this.#settings
    let files: readonly string[]
    try {
      files = await filesBelow(folder)
    } catch (error) {
      // Not to be seen is not gone: the zones stay.
      this.logger.warn({ folder, problem: (error as Error).message }, 'folder of zone files cannot be read')
      return
    }
    const zones = new Map<DnsName, FileZone>()
    for (const path of files) {
      const origin = this.#originOf(basename(path))
      if (origin === undefined) continue
      const first = zones.get(origin)
      if (first)
        this.logger.warn({ path, first: first.path, zone: origin }, 'two files for one zone: the first is served')
      else zones.set(origin, this.#zoneOf(origin, path))
    }
    // What is new is read before it is served.
    const [known, added] = [this.server.zones, new Set(zones.values())]
    for (const zone of zones.values()) await zone.check()
    for (const origin of known.keys()) if (!zones.has(origin)) this.#leave(origin)
    this.server.serve(zones)
    for (const zone of known.values()) added.delete(zone)
    for (const zone of added) zone.onChange?.()
  }

  #zoneOf(origin: DnsName, path: string): FileZone {
    const known = this.server.zones.get(origin)
    return known?.path === path ? known : this.makeZone(origin, path)
  }

  #leave(origin: DnsName): void {
    this.logger.info({ zone: origin }, 'zone is served no longer: its file is gone')
    this.metrics.serial.remove({ zone: origin })
  }

  /** As CoreDNS: the pattern may match anywhere in the file's name. */
  #originOf(file: string): DnsName | undefined {
    const { pattern, template } = this.#settings
    const matcher = pattern.matcher(file)
    if (!matcher.find()) return undefined
    const text = template.replace(
      /\{(\w+)\}/g,
      (_, group: string) => matcher.group(/^\d+$/.test(group) ? Number(group) : group) ?? '',
    )
    const name = parseName(text)
    if (name.ok) return canonicalName(name.value)
    this.logger.warn({ file, problem: name.problem }, 'name of a zone file makes no zone')
    return undefined
  }
}

/** Paths in order. Folders named `..…` are those that the kubelet swaps behind a mounted ConfigMap's links. */
const filesBelow = async (folder: string): Promise<string[]> => {
  const paths: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('..')) paths.push(...(await filesBelow(path)))
    } else if (await isFile(path)) paths.push(path)
  }
  return paths.sort()
}

/** Links to files count, links to folders do not. */
const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false,
  )
