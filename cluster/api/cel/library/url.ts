/** URLs: Kubernetes's library. What counts as one, and its parts, are those of Go's ParseRequestURI: nothing is made shorter. */
import { walksKeeping, walksUnseen } from '../cost/call-cost.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, foreign, listOf, mapOf, STRING } from '../type.ts'
import { CelError, type CelValue, Entries, Foreign } from '../value.ts'

/** RFC 3986 §3, as the text has them. */
interface UrlParts {
  readonly scheme: string
  readonly user: string
  /** With its port; a zone is decoded. */
  readonly host: string
  readonly path: string
  readonly query: string
}

class UrlValue extends Foreign {
  readonly typeName = 'kubernetes.URL'
  readonly parts: UrlParts

  constructor(parts: UrlParts) {
    super()
    this.parts = parts
  }

  equals(other: Foreign): boolean {
    return other instanceof UrlValue && JSON.stringify(other.parts) === JSON.stringify(this.parts)
  }
}

const URL_TYPE = foreign('kubernetes.URL')

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]*):/
/** What Go refuses anywhere in a URL: control characters; and blanks in a host. */
const CONTROL = /(?=\p{ASCII})\p{Cc}/u
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/
/** RFC 3986 §3.2.2, and what Go lets stand besides. */
const HOST = /^(?:\[[^\]%]*(?:%25[^\]]*)?\]|(?:[\w\-.~!$&'()*+,;=:<>"]|\P{ASCII}|%[89a-fA-F][0-9a-fA-F])*)$/u
const PORT = /^(?::\d*)?$/
/** What stands in a path as it is. */
const UNESCAPED = /[^\w\-.~$&+,/:;=@!'()*%[\]]/gu

const decode = (text: string): string | undefined => {
  if (BROKEN_ESCAPE.test(text)) return undefined
  return Buffer.from(
    text.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()
}

/** The port begins behind the brackets of an IPv6 address. */
const portAt = (host: string): number => {
  const colon = host.indexOf(':', host.lastIndexOf(']') + 1)
  return colon < 0 ? host.length : host.lastIndexOf(':')
}

const readHost = (text: string): string | undefined => {
  const name = text.slice(0, portAt(text))
  if (!HOST.test(name) || !PORT.test(text.slice(name.length))) return undefined
  return text.replace(/%25/, '%')
}

/** With what may not stand there as it is spelt in percents. */
const escapePath = (path: string): string =>
  path.replace(UNESCAPED, letter =>
    Buffer.from(letter)
      .toString('latin1')
      .replace(/./gs, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`),
  )

const readAuthority = (text: string): Pick<UrlParts, 'user' | 'host'> | undefined => {
  const at = text.lastIndexOf('@')
  const user = text.slice(0, Math.max(at, 0))
  const host = readHost(text.slice(at + 1))
  return host === undefined || BROKEN_ESCAPE.test(user) ? undefined : { user, host }
}

const parse = (text: string): UrlValue | undefined => {
  if (CONTROL.test(text)) return undefined
  const scheme = SCHEME.exec(text)?.[1]
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1)
  // Neither an absolute path nor a scheme in front: a request names neither.
  if (scheme === undefined && !rest.startsWith('/')) return undefined
  const mark = rest.indexOf('?')
  const [hierarchy, query] = mark < 0 ? [rest, ''] : [rest.slice(0, mark), rest.slice(mark + 1)]
  const named = { scheme: scheme?.toLowerCase() ?? '', query }
  // `mailto:x`: what has no hierarchy has no path.
  if (!hierarchy.startsWith('/')) return new UrlValue({ ...named, user: '', host: '', path: '' })
  const hasAuthority = hierarchy.startsWith('//') && (scheme !== undefined || !hierarchy.startsWith('///'))
  if (!hasAuthority || scheme === undefined)
    return decode(hierarchy) === undefined ? undefined : new UrlValue({ ...named, user: '', host: '', path: hierarchy })
  const slash = hierarchy.indexOf('/', 2)
  const end = slash < 0 ? hierarchy.length : slash
  const authority = readAuthority(hierarchy.slice(2, end))
  const path = hierarchy.slice(end)
  return authority && decode(path) !== undefined ? new UrlValue({ ...named, ...authority, path }) : undefined
}

const toUrl = (text: string): UrlValue => {
  const url = parse(text)
  if (url) return url
  const detail = `parse ${JSON.stringify(text)}: invalid URI for request`
  throw new CelError(`URL parse error during conversion from string: ${detail}`)
}

/** Pairs that do not decode are left out. */
const query = ({ parts }: UrlValue): CelValue => {
  const found = new Map<string, string[]>()
  for (const pair of parts.query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const [name = '', value = ''] = [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1 || pair.length)]
    const [key, text] = [name, value].map(part => decode(part.replaceAll('+', ' ')))
    if (key === undefined || text === undefined) continue
    const values = found.get(key)
    if (values) values.push(text)
    else found.set(key, [text])
  }
  const entries = new Entries()
  for (const [key, values] of found) entries.add(key, values)
  return entries
}

const hostname = ({ host }: UrlParts): string => host.slice(0, portAt(host)).replace(/^\[|\]$/g, '')

const part = (name: string, read: (parts: UrlParts) => string): CelFunction =>
  method(name, [URL_TYPE], STRING, ([url]) => read((url as UrlValue).parts))

export const URLS: readonly CelFunction[] = [
  globalFunction('url', [STRING], URL_TYPE, ([text]) => toUrl(text as string), walksKeeping(1)),
  globalFunction('isURL', [STRING], BOOL, ([text]) => parse(text as string) !== undefined, walksUnseen(1)),
  part('getScheme', ({ scheme }) => scheme),
  part('getHost', ({ host }) => host),
  part('getHostname', hostname),
  part('getPort', ({ host }) => host.slice(portAt(host) + 1)),
  part('getEscapedPath', ({ path }) => escapePath(path)),
  method('getQuery', [URL_TYPE], mapOf(STRING, listOf(STRING)), ([url]) => query(url as UrlValue)),
]
