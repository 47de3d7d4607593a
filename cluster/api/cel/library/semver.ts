/** Semantic versions (semver.org 2.0.0): Kubernetes's library. */
import { walks } from '../cost/call-cost.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, foreign, INT, STRING } from '../type.ts'
import { CelError, type CelValue, Foreign } from '../value.ts'

class SemverValue extends Foreign {
  readonly typeName = 'kubernetes.Semver'
  readonly numbers: readonly bigint[]
  readonly prerelease: readonly string[]

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    super()
    this.numbers = numbers
    this.prerelease = prerelease
  }

  equals(other: Foreign): boolean {
    return other instanceof SemverValue && compare(this, other) === 0n
  }
}

const SEMVER = foreign('kubernetes.Semver')

const NUMBER = '0|[1-9]\\d*'
const PRERELEASE = `(?:${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`
const SYNTAX = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${PRERELEASE}(?:\\.${PRERELEASE})*))?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
)

/** A leading v, leading zeros and missing parts are forgiven. */
const normalise = (text: string): string => {
  const bare = text.replace(/^v/, '')
  const end = /[-+]/.exec(bare)?.index ?? bare.length
  const parts = bare
    .slice(0, end)
    .split('.')
    .map(part => part.replace(/^0+(?=\d)/, ''))
  if (parts.length < 3 && end < bare.length) return bare
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + bare.slice(end)
}

const parse = (text: string): SemverValue | undefined => {
  const [, major, minor, patch, prerelease] = SYNTAX.exec(text) ?? []
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  return new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], prerelease?.split('.') ?? [])
}

const toSemver = (text: string): SemverValue => {
  const version = parse(text)
  if (!version) throw new CelError(`No Major.Minor.Patch elements found`)
  return version
}

const comparePart = (a: string, b: string): bigint => {
  const numeric = /^\d+$/
  if (numeric.test(a) && numeric.test(b)) return BigInt(a) < BigInt(b) ? -1n : BigInt(a) > BigInt(b) ? 1n : 0n
  // semver.org §11.4.3: numbers come before words.
  if (numeric.test(a) !== numeric.test(b)) return numeric.test(a) ? -1n : 1n
  return a < b ? -1n : a > b ? 1n : 0n
}

const comparePrerelease = (a: readonly string[], b: readonly string[]): bigint => {
  // semver.org §11.3: what has none comes after what has one.
  if (a.length === 0 || b.length === 0) return BigInt(Math.sign(b.length - a.length))
  for (const [index, part] of a.entries()) {
    if (index >= b.length) return 1n
    const order = comparePart(part, b[index]!)
    if (order !== 0n) return order
  }
  return a.length < b.length ? -1n : 0n
}

const compare = (a: SemverValue, b: SemverValue): bigint => {
  for (const [index, number] of a.numbers.entries()) {
    if (number !== b.numbers[index]) return number < b.numbers[index]! ? -1n : 1n
  }
  return comparePrerelease(a.prerelease, b.prerelease)
}

const version = (value: CelValue | undefined): SemverValue => value as SemverValue
const forgiving = (text: CelValue | undefined, normalised: CelValue | undefined): string =>
  normalised === true ? normalise(text as string) : (text as string)

export const SEMVERS: readonly CelFunction[] = [
  globalFunction('semver', [STRING], SEMVER, ([text]) => toSemver(text as string), walks(1)),
  globalFunction('semver', [STRING, BOOL], SEMVER, ([text, lax]) => toSemver(forgiving(text, lax)), walks(1)),
  globalFunction('isSemver', [STRING], BOOL, ([text]) => parse(text as string) !== undefined, walks(1)),
  globalFunction(
    'isSemver',
    [STRING, BOOL],
    BOOL,
    ([text, lax]) => parse(forgiving(text, lax)) !== undefined,
    walks(1),
  ),
  method('isGreaterThan', [SEMVER, SEMVER], BOOL, ([a, b]) => compare(version(a), version(b)) > 0n),
  method('isLessThan', [SEMVER, SEMVER], BOOL, ([a, b]) => compare(version(a), version(b)) < 0n),
  method('compareTo', [SEMVER, SEMVER], INT, ([a, b]) => compare(version(a), version(b))),
  ...['major', 'minor', 'patch'].map((name, index) => method(name, [SEMVER], INT, ([a]) => version(a).numbers[index]!)),
]
