/** Where a run was made, and of what. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { versionOf } from './contender-version.ts'
import { contenders } from './servers/index.ts'

const GIBIBYTE = 1024 ** 3

/** Undefined: this is no checkout, or there is no git. */
const commit = (): string | undefined => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

export const describeMachine = (): Readonly<Record<string, string>> => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: String(cpus().length),
  memory: `${Math.round(totalmem() / GIBIBYTE)} GiB`,
  system: `${type()} ${release()}`,
})

export const describeVersions = (): Readonly<Record<string, string>> => {
  const own = commit()
  const versions: [string, string][] = [
    ...(own ? [['seamark', own] as [string, string]] : []),
    ['Node', process.versions.node],
  ]
  for (const contender of contenders) {
    const version = versionOf(contender)
    if (version) versions.push([contender.name, version])
  }
  return Object.fromEntries(versions)
}
