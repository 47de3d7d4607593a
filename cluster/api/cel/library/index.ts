/** What expressions may call, as Kubernetes 1.35 has it. */
import type { CelFunction } from '../function.ts'
import { CONVERSIONS } from './conversions.ts'
import { FORMATTING } from './formats.ts'
import { LISTS } from './lists.ts'
import { NETWORK } from './network.ts'
import { OPERATORS } from './operators.ts'
import { OPTIONALS } from './optionals.ts'
import { QUANTITIES } from './quantities.ts'
import { REGEX } from './regex.ts'
import { SEMVERS } from './semver.ts'
import { STRINGS } from './strings.ts'
import { TEXT_FORMAT } from './text-format.ts'
import { TIMES } from './times.ts'
import { URLS } from './url.ts'

export const LIBRARY: readonly CelFunction[] = [
  ...OPERATORS,
  ...CONVERSIONS,
  ...STRINGS,
  ...TEXT_FORMAT,
  ...TIMES,
  ...LISTS,
  ...REGEX,
  ...URLS,
  ...NETWORK,
  ...QUANTITIES,
  ...FORMATTING,
  ...SEMVERS,
  ...OPTIONALS,
]
