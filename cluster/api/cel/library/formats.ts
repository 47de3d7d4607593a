/** Named formats (`format.dns1123Label().validate(x)`): Kubernetes's library. */
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
  maskTrailingDash,
} from '../../name.ts'
import { type CallCost, matching } from '../cost/call-cost.ts'
import { REGEX, walking } from '../cost/estimate.ts'
import { scaled } from '../cost/size.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { foreign, listOf, optionalOf, STRING } from '../type.ts'
import { type CelValue, Foreign, NONE, OptionalValue, sizeOf } from '../value.ts'

type Check = (text: string) => readonly string[]

class FormatValue extends Foreign {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check

  constructor(name: string, check: Check) {
    super()
    this.name = name
    this.check = check
  }

  equals(other: Foreign): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

const FORMAT = foreign('kubernetes.NamedFormat')

const unless =
  (complaint: string, isValid: (text: string) => boolean): Check =>
  text =>
    isValid(text) ? [] : [complaint]

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const DATE = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?$/

/** A day that a month does not have would be one of the next. */
const isDate = (text: string): boolean => {
  const time = DATE.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}
const isUri = (text: string): boolean => text.startsWith('/') || URL.canParse(text)

/** What a name may end with is left open: something follows. */
const prefix =
  (check: Check): Check =>
  text =>
    check(maskTrailingDash(text))

const FORMATS: Readonly<Record<string, Check>> = {
  dns1123Label: checkDnsLabel,
  dns1123Subdomain: checkDnsSubdomain,
  dns1035Label: checkDns1035Label,
  qualifiedName: checkQualifiedName,
  dns1123LabelPrefix: prefix(checkDnsLabel),
  dns1123SubdomainPrefix: prefix(checkDnsSubdomain),
  dns1035LabelPrefix: prefix(checkDns1035Label),
  labelValue: checkLabelValue,
  uri: text => (isUri(text) ? [] : [`parse ${JSON.stringify(text)}: invalid URI for request`]),
  uuid: unless('does not match the UUID format', text => UUID.test(text)),
  byte: unless('invalid base64', text => BASE64.test(text)),
  date: unless('invalid date', isDate),
  datetime: unless('invalid datetime', text => DATE_TIME.test(text) && isDate(text.slice(0, 10))),
}

const NAMED: ReadonlyMap<string, FormatValue> = new Map(
  Object.entries(FORMATS).map(([name, check]) => [name, new FormatValue(name, check)]),
)

/** The length of a pattern that stands for all of the formats' checks. */
const PATTERN = 60

/** The length of a pattern in cel-go's estimate, whichever format it is. */
const LONGEST_PATTERN = 128

const validation: CallCost = {
  run: ([, text]) => matching(sizeOf(text!), PATTERN),
  worst: args => ({ cost: scaled(walking(1, 1)(args).cost, LONGEST_PATTERN * REGEX) }),
}

const validate = (format: CelValue | undefined, text: string): CelValue => {
  const complaints = (format as FormatValue).check(text)
  return complaints.length === 0 ? NONE : new OptionalValue([...complaints])
}

export const FORMATTING: readonly CelFunction[] = [
  ...[...NAMED].map(([name, format]) => globalFunction(`format.${name}`, [], FORMAT, () => format)),
  globalFunction('format.named', [STRING], optionalOf(FORMAT), ([name]) => {
    const format = NAMED.get(name as string)
    return format ? new OptionalValue(format) : NONE
  }),
  method(
    'validate',
    [FORMAT, STRING],
    optionalOf(listOf(STRING)),
    ([format, text]) => validate(format, text as string),
    validation,
  ),
]
