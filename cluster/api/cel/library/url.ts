/** URLs: Kubernetes's library. What counts as one follows Go's ParseRequestURI: absolute, or a path. */
import { walks } from '../cost.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, foreign, listOf, mapOf, STRING } from '../type.ts'
import { CelError, type CelValue, Entries, Foreign } from '../value.ts'

class UrlValue extends Foreign {
  readonly typeName = 'kubernetes.URL'
  readonly url: URL
  /** A path alone has neither scheme nor host. */
  readonly isPath: boolean

  constructor(url: URL, isPath: boolean) {
    super()
    this.url = url
    this.isPath = isPath
  }

  equals(other: Foreign): boolean {
    return other instanceof UrlValue && other.isPath === this.isPath && other.url.href === this.url.href
  }
}

const URL_TYPE = foreign('kubernetes.URL')

const ABSOLUTE = /^[a-zA-Z][a-zA-Z0-9+.-]*:/
/** What Go refuses anywhere in a URL: control characters and blanks. */
const FORBIDDEN = /[\p{Cc} ]/u

const parse = (text: string): UrlValue | undefined => {
  if (FORBIDDEN.test(text)) return undefined
  if (text.startsWith('/')) {
    const url = URL.parse(text.replace(/^\/+/, '/'), 'https://path.invalid')
    return url ? new UrlValue(url, true) : undefined
  }
  const url = ABSOLUTE.test(text) ? URL.parse(text) : null
  return url ? new UrlValue(url, false) : undefined
}

const toUrl = (text: string): UrlValue => {
  const url = parse(text)
  if (url) return url
  const detail = `parse ${JSON.stringify(text)}: invalid URI for request`
  throw new CelError(`URL parse error during conversion from string: ${detail}`)
}

const query = ({ url }: UrlValue): CelValue => {
  const entries = new Entries()
  for (const key of new Set(url.searchParams.keys())) entries.add(key, url.searchParams.getAll(key))
  return entries
}

const part = (name: string, read: (url: UrlValue) => string): CelFunction =>
  method(name, [URL_TYPE], STRING, ([url]) =>
    (url as UrlValue).isPath && name !== 'getEscapedPath' ? '' : read(url as UrlValue),
  )

export const URLS: readonly CelFunction[] = [
  globalFunction('url', [STRING], URL_TYPE, ([text]) => toUrl(text as string), walks(1)),
  globalFunction('isURL', [STRING], BOOL, ([text]) => parse(text as string) !== undefined, walks(1)),
  part('getScheme', ({ url }) => url.protocol.slice(0, -1)),
  part('getHost', ({ url }) => url.host),
  part('getHostname', ({ url }) => url.hostname.replace(/^\[|\]$/g, '')),
  part('getPort', ({ url }) => url.port),
  part('getEscapedPath', ({ url }) => url.pathname),
  method('getQuery', [URL_TYPE], mapOf(STRING, listOf(STRING)), ([url]) => query(url as UrlValue)),
]
