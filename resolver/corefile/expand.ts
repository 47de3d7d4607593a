/**
 * Resolves what stands for something else before the Corefile has a structure: `(name) { … }` snippets, `import` of
 * snippets (with arguments, `{args.0}`) and of files (one wildcard allowed, relative to the importing file), and
 * `{$NAME}` / `{%NAME%}` environment variables. An undefined variable is empty, as in CoreDNS.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { accepted, type Result, refused } from '#lib/result.ts'
import { lex, type Token } from './lexer.ts'
import { suggestion } from './nearest.ts'
import type { CorefileProblem, Position } from './syntax.ts'

export interface ExpansionOptions {
  /** For `{$NAME}`. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The folder that the first file's relative imports start from. */
  readonly folder: string
  /** Called with the path of every file that was read, and its text. */
  readonly onFile?: (path: string, text: string) => void
}

/** More imports than people write, fewer than a chain of doubling snippets needs to fill the memory. */
const MAXIMUM_IMPORTS = 1000

type Expanded = Result<Token[], CorefileProblem>

export const expand = (tokens: readonly Token[], options: ExpansionOptions): Result<Token[], CorefileProblem> =>
  new Expansion(options).expand(tokens, { folder: options.folder, within: [], depth: 0 })

interface Place {
  /** Relative imports start here. */
  readonly folder: string
  /** Snippets and files that are being expanded: one that comes again is a cycle. */
  readonly within: readonly string[]
  /** Braces that are open. */
  readonly depth: number
}

interface Step {
  readonly tokens: readonly Token[]
  readonly next: number
}

class Expansion {
  readonly #options: ExpansionOptions
  readonly #snippets = new Map<string, { readonly tokens: readonly Token[]; readonly folder: string }>()
  #imports = 0

  constructor(options: ExpansionOptions) {
    this.#options = options
  }

  expand(tokens: readonly Token[], place: Place): Expanded {
    const out: Token[] = []
    let depth = place.depth
    for (let at = 0; at < tokens.length; ) {
      const token = tokens[at]!
      const step = this.#step(tokens, at, { ...place, depth })
      if (!step.ok) return step
      for (const one of step.value.tokens) out.push(one)
      at = step.value.next
      if (isWord(token, '{')) depth++
      if (isWord(token, '}')) depth--
    }
    return accepted(out)
  }

  /** What stands at `at`, expanded, and where what follows it starts. */
  #step(tokens: readonly Token[], at: number, place: Place): Result<Step, CorefileProblem> {
    const token = tokens[at]!
    if (token.startsLine && place.depth === 0 && isSnippetName(token, tokens[at + 1])) {
      const end = this.#defineSnippet(tokens, at, place.folder)
      return end.ok ? accepted({ tokens: [], next: end.value }) : end
    }
    if (token.startsLine && isWord(token, 'import')) {
      const line = wordsOfLine(tokens, at + 1)
      const imported = this.#import(token, line, place)
      return imported.ok ? accepted({ tokens: imported.value, next: at + 1 + line.length }) : imported
    }
    return accepted({
      tokens: [{ ...token, text: replaceVariables(token.text, this.#options.variables) }],
      next: at + 1,
    })
  }

  /** Keeps the snippet whose name stands at `at`; gives the index behind its closing brace. */
  #defineSnippet(tokens: readonly Token[], at: number, folder: string): Result<number, CorefileProblem> {
    const { text, position } = tokens[at]!
    const name = text.slice(1, -1)
    if (this.#snippets.has(name)) return refused({ position, message: `the snippet "${name}" is defined twice` })
    let depth = 0
    for (let index = at + 1; index < tokens.length; index++) {
      if (isWord(tokens[index]!, '{')) depth++
      if (isWord(tokens[index]!, '}') && --depth === 0) {
        this.#snippets.set(name, { tokens: tokens.slice(at + 2, index), folder })
        return accepted(index + 1)
      }
    }
    return refused({ position, message: `the snippet "${name}" opens here and is never closed: a "}" is missing` })
  }

  #import(token: Token, line: readonly Token[], place: Place): Expanded {
    const problem = (message: string) => refused({ position: token.position, message })
    const [first, ...rest] = line.map(word => replaceVariables(word.text, this.#options.variables))
    if (first === undefined || first === '') return problem('import: name a snippet, a file or a pattern')
    if (++this.#imports > MAXIMUM_IMPORTS) return problem(`import: more than ${MAXIMUM_IMPORTS} imports`)
    const snippet = this.#snippets.get(first)
    if (snippet) {
      const mark = `snippet ${first}`
      if (place.within.includes(mark)) return problem(`import: the snippet "${first}" imports itself`)
      const tokens = replaceArguments(snippet.tokens, rest, token.position)
      if (!tokens.ok) return tokens
      return this.expand(startingLine(tokens.value), {
        folder: snippet.folder,
        within: [...place.within, mark],
        depth: place.depth,
      })
    }
    if (rest.length > 0) return problem(`import: no snippet "${first}" is defined above, and a file takes no arguments`)
    return this.#importFiles(first, token.position, place)
  }

  #importFiles(pattern: string, position: Position, place: Place): Expanded {
    const wildcard = /[*?]/.test(pattern)
    if ((pattern.match(/[*?]/g)?.length ?? 0) > 1 || pattern.includes('['))
      return refused({ position, message: `import: "${pattern}" has more than one wildcard` })
    const path = isAbsolute(pattern) ? pattern : join(place.folder, pattern)
    // A pattern that matches nothing is fine: ConfigMaps with optional keys are mounted that way.
    const paths = wildcard ? globSync(path).sort() : [path]
    const out: Token[] = []
    for (const one of paths) {
      const tokens = this.#importFile(one, pattern, position, place)
      if (!tokens.ok) return tokens
      for (const token of tokens.value) out.push(token)
    }
    return accepted(out)
  }

  #importFile(path: string, asWritten: string, position: Position, place: Place): Expanded {
    if (place.within.includes(path)) return refused({ position, message: `import: "${path}" imports itself` })
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const hint = suggestion(asWritten, this.#snippets.keys())
      // A word that could be a snippet's name: Corefiles define snippets below their use, where they are not seen yet.
      const what = /^[\w-]+$/.test(asWritten)
        ? `no snippet "${asWritten}" is defined above, and as a file it`
        : `"${asWritten}"`
      return refused({ position, message: `import: ${what} cannot be read (${reason})${hint}` })
    }
    this.#options.onFile?.(path, text)
    const tokens = lex(text, path)
    if (!tokens.ok) return tokens
    return this.expand(startingLine(tokens.value), {
      folder: dirname(path),
      within: [...place.within, path],
      depth: place.depth,
    })
  }
}

const isWord = (token: Token, text: string): boolean => !token.quoted && token.text === text

const isSnippetName = (token: Token, next: Token | undefined): boolean =>
  !token.quoted && /^\(.+\)$/.test(token.text) && next !== undefined && isWord(next, '{')

const wordsOfLine = (tokens: readonly Token[], from: number): readonly Token[] => {
  let end = from
  while (end < tokens.length && !tokens[end]!.startsLine && !isWord(tokens[end]!, '}')) end++
  return tokens.slice(from, end)
}

const startingLine = (tokens: readonly Token[]): readonly Token[] =>
  tokens.map((token, index) => (index === 0 ? { ...token, startsLine: true } : token))

/** `{args.1}` and `{args[1]}`, from 0; `{args}` alone as a word stands for all of them. */
const replaceArguments = (
  tokens: readonly Token[],
  values: readonly string[],
  position: Position,
): Result<Token[], CorefileProblem> => {
  const out: Token[] = []
  let missing: string | undefined
  for (const token of tokens) {
    if (isWord(token, '{args}') || isWord(token, '{args[:]}')) {
      values.forEach((text, index) => {
        out.push({ ...token, text, startsLine: token.startsLine && index === 0 })
      })
      continue
    }
    const text = token.text.replace(/\{args(?:\.(\d+)|\[(\d+)\])\}/g, (reference, dotted, bracketed) => {
      const value = values[Number(dotted ?? bracketed)]
      if (value === undefined) missing ??= `${reference} at ${token.position.file}:${token.position.line}`
      return value ?? ''
    })
    out.push({ ...token, text })
  }
  if (missing !== undefined)
    return refused({ position, message: `import: ${values.length} arguments given, but the snippet uses ${missing}` })
  return accepted(out)
}

const replaceVariables = (text: string, variables: ExpansionOptions['variables']): string =>
  text.includes('{')
    ? text
        .replace(/\{%([^%}]+)%\}/g, (_, name) => variables[name] ?? '')
        .replace(/\{\$([^}]+)\}/g, (_, name) => variables[name] ?? '')
    : text
