/**
 * What names, labels and their like may be, with Kubernetes's words for what they may not. Each check gives the
 * complaints, none for a good value.
 */

type Complaints = readonly string[]

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const WILDCARD = `\\*\\.${SUBDOMAIN}`
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const HTTP_HEADER = '[-A-Za-z0-9]+'

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`)
const LABEL_SYNTAX = whole(LABEL)
const LABEL_1035_SYNTAX = whole(LABEL_1035)
const SUBDOMAIN_SYNTAX = whole(SUBDOMAIN)
const QUALIFIED_NAME_SYNTAX = whole(QUALIFIED_NAME)
const LABEL_VALUE_SYNTAX = whole(LABEL_VALUE)
const WILDCARD_SYNTAX = whole(WILDCARD)
const CONFIG_KEY_SYNTAX = whole(CONFIG_KEY)
const HTTP_HEADER_SYNTAX = whole(HTTP_HEADER)

/** RFC 1123 §2.1, RFC 1035 §2.3.4: bytes without the length and root bytes. */
const LABEL_MAX = 63
const SUBDOMAIN_MAX = 253

const explain = (message: string, pattern: string, ...examples: string[]): string => {
  const shown = examples.map(example => `'${example}', `).join(' or ')
  return `${message} (${examples.length > 0 ? `e.g. ${shown}` : ''}regex used for validation is '${pattern}')`
}

/** Counts bytes, of which no unit of a text has more than three, whatever Kubernetes calls them; both words stand in its messages. */
const bounded = (value: string, limit: number, unit: 'bytes' | 'characters' = 'bytes'): string[] =>
  value.length * 3 > limit && Buffer.byteLength(value) > limit ? [`must be no more than ${limit} ${unit}`] : []

export const checkDnsLabel = (value: string): Complaints => {
  const complaints = bounded(value, LABEL_MAX)
  if (LABEL_SYNTAX.test(value)) return complaints
  if (SUBDOMAIN_SYNTAX.test(value)) return [...complaints, 'must not contain dots']
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
  return [...complaints, explain(message, LABEL, 'my-name', '123-abc')]
}

export const checkDnsSubdomain = (value: string): Complaints => {
  const complaints = bounded(value, SUBDOMAIN_MAX)
  if (SUBDOMAIN_SYNTAX.test(value)) return complaints
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
  return [...complaints, explain(message, SUBDOMAIN, 'example.com')]
}

/** RFC 1035 §2.3.1: a label that starts with a letter. */
export const checkDns1035Label = (value: string): Complaints => {
  const complaints = bounded(value, LABEL_MAX)
  if (LABEL_1035_SYNTAX.test(value)) return complaints
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
  return [...complaints, explain(message, LABEL_1035, 'my-name', 'abc-123')]
}

/** `*.` and a domain: any one label there. */
export const checkWildcard = (value: string): Complaints => {
  const complaints = bounded(value, SUBDOMAIN_MAX)
  if (WILDCARD_SYNTAX.test(value)) return complaints
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
  return [...complaints, explain(message, WILDCARD, '*.example.com')]
}

const QUALIFIED_NAME_RULE = explain(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED_NAME,
  'MyName',
  'my.name',
  '123-abc',
)

/** Keys of labels and annotations, finalizers, condition types: `example.com/name` or `name`. */
export const checkQualifiedName = (value: string): Complaints => {
  const parts = value.split('/')
  if (parts.length > 2) {
    return [
      `a valid label key ${QUALIFIED_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const complaints: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') complaints.push('prefix part must be non-empty')
    else complaints.push(...checkDnsSubdomain(prefix).map(complaint => `prefix part ${complaint}`))
  }
  if (name === '') complaints.push('name part must be non-empty')
  else complaints.push(...bounded(name, LABEL_MAX).map(complaint => `name part ${complaint}`))
  if (!QUALIFIED_NAME_SYNTAX.test(name)) complaints.push(`name part ${QUALIFIED_NAME_RULE}`)
  return complaints
}

export const checkLabelValue = (value: string): Complaints => {
  const complaints = bounded(value, LABEL_MAX)
  if (LABEL_VALUE_SYNTAX.test(value)) return complaints
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
  return [...complaints, explain(message, LABEL_VALUE, 'MyValue', 'my_value', '12345')]
}

/** Keys of ConfigMap and Secret: they become file names. */
export const checkConfigKey = (value: string): Complaints => {
  const complaints = bounded(value, SUBDOMAIN_MAX, 'characters')
  if (!CONFIG_KEY_SYNTAX.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    return [...complaints, explain(message, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name')]
  }
  if (value === '.') return [...complaints, "must not be '.'"]
  if (value === '..') return [...complaints, "must not be '..'"]
  return value.startsWith('..') ? [...complaints, "must not start with '..'"] : complaints
}

/** The least that a name in a path must keep: names of roles may hold colons and capitals. */
export const checkPathSegment = (value: string): Complaints => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter(part => value.includes(part)).map(part => `may not contain '${part}'`)
}

/** RFC 6335 §5.1, in lower case. */
export const checkPortName = (value: string): Complaints => {
  const complaints: string[] = []
  if (value.length > 15) complaints.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]*$/.test(value) || value === '') {
    complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) complaints.push('must contain at least one letter (a-z)')
  if (value.includes('--')) complaints.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) complaints.push('must not begin or end with a hyphen')
  return complaints
}

/** Since Kubernetes 1.34 (KEP-4369): anything printable but `=`. */
export const checkEnvironmentName = (value: string): Complaints => {
  if (value === '') return ['environment variable name must be non-empty']
  if (/^[ -<>-~]+$/.test(value)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export const checkHttpHeader = (value: string): Complaints =>
  HTTP_HEADER_SYNTAX.test(value)
    ? []
    : [explain("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER, 'X-Header-Name')]

export const checkPort = (value: unknown): Complaints =>
  typeof value === 'number' && value >= 1 && value <= 65_535 ? [] : ['must be between 1 and 65535, inclusive']

/** What a generated name starts with is cut and completed, so a dash at its end is no fault. */
export const maskTrailingDash = (prefix: string): string =>
  prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix
