/** JSON for people's eyes: indented where kube-apiserver indents it. */
import { type Answer, headerOf, type Request } from './exchange.ts'
import { wantsIndented } from './negotiate.ts'

/** Programs whose answers people read: kube-apiserver goes by the same three. */
const READERS = ['curl', 'Wget', 'Mozilla/5.0']
const YES = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** Bytes of JSON that are indented; more is given as it is: making it would hold up everybody. */
const MAX_PRETTY = 512 * 1024

/** What is no object of the API, and is cached as it is. */
const isPlain = (pathname: string): boolean => pathname.startsWith('/openapi/') || pathname.startsWith('/.well-known/')

/** Whether the client asks for it, or is read by people. */
export const wantsPretty = (request: Request, query: URLSearchParams): boolean => {
  if (wantsIndented(headerOf(request, 'accept'))) return true
  const asked = query.get('pretty')
  if (asked) return YES.has(asked)
  const agent = headerOf(request, 'user-agent') ?? ''
  return READERS.some(reader => agent.startsWith(reader))
}

const endOfText = (json: string, start: number): number => {
  let end = start + 1
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end + 1
}

const SPACE = new Set([' ', '\n', '\r', '\t'])
/** What a number or a word ends at. */
const ENDS = new Set([...SPACE, ',', ':', '}', ']'])
const MARKS = new Set(['{', '}', '[', ']', ',', ':'])

const skipSpace = (json: string, start: number): number => {
  let at = start
  while (SPACE.has(json[at] ?? '')) at++
  return at
}

const endOfToken = (json: string, start: number): number => {
  const first = json[start] ?? ''
  if (first === '"') return endOfText(json, start)
  let end = start + 1
  if (!MARKS.has(first)) while (end < json.length && !ENDS.has(json[end] ?? '')) end++
  return end
}

const newLine = (depth: number): string => `\n${'  '.repeat(depth)}`

/** What is written for a token that leads to `depth`; a bracket that opens one level is on the line before it. */
const written = (token: string, depth: number): string => {
  switch (token) {
    case '{':
    case '[':
    case ',':
      return token + newLine(depth)
    case '}':
    case ']':
      return newLine(depth) + token
    case ':':
      return ': '
    default:
      return token
  }
}

const STEPS: Readonly<Record<string, number>> = { '{': 1, '[': 1, '}': -1, ']': -1 }
const PAIRS: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

/** Two blanks a level; `{}` and `[]` stay. Nothing is read as a value, so that numbers stay as they are written. */
export const indentJson = (json: string): string => {
  const parts: string[] = []
  let depth = 0
  for (let at = skipSpace(json, 0), end: number; at < json.length; at = skipSpace(json, end)) {
    end = endOfToken(json, at)
    const token = json.slice(at, end)
    const closing = PAIRS[token]
    const inner = closing === undefined ? end : skipSpace(json, end)
    if (closing !== undefined && json[inner] === closing) {
      parts.push(token, closing)
      end = inner + 1
    } else {
      depth += STEPS[token] ?? 0
      parts.push(written(token, depth))
    }
  }
  return parts.join('')
}

/** The answer as people read it. `pathname`: what was asked for. */
export const prettyAnswer = (answer: Answer, pathname: string): Answer => {
  const { body, contentType } = answer
  if (contentType !== 'application/json' || body.length === 0 || body.length > MAX_PRETTY || isPlain(pathname))
    return answer
  return { ...answer, body: indentJson(body.toString()) }
}
