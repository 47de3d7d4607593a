/**
 * Templates in the language of Go's text/template, as far as a record needs it: values, fields, functions, pipes,
 * parentheses, `if`/`else`, comments, trimmed blanks. What is left out (variables, range, with, nested templates) is a
 * problem in words, found when the Corefile is read.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { suggestion } from '../corefile/nearest.ts'
import { TemplateError, templateFunctions } from './value.ts'

export type Operand =
  | { readonly kind: 'constant'; readonly value: string | bigint | boolean | undefined }
  /** `.Group.a`; no names: `.`, all of it. */
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }

/** An operand with its arguments. */
export type Command = readonly [Operand, ...Operand[]]
/** Each command's value is the last argument of the next. */
export type Pipeline = readonly Command[]

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: Pipeline }
  /** `else if` is a branch more: the first whose condition holds is taken, else what stands behind `else`. */
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: Template }

export interface Branch {
  readonly condition: Pipeline
  readonly body: Template
}

export type Template = readonly Node[]

/** A problem says what is wrong. */
export const parseTemplate = (text: string): Result<Template, string> => {
  try {
    return accepted(new Parser(splitActions(text)).template())
  } catch (error) {
    if (error instanceof TemplateError) return refused(error.message)
    throw error
  }
}

type Piece = { readonly text: string } | { readonly action: string }

const STRING = /"(?:[^"\\]|\\.)*"|`[^`]*`/y

/** Where the `}}` of an action stands whose inside begins at `start`; undefined: it has none. Strings and comments may hold some. */
const endOfAction = (source: string, start: number): number | undefined => {
  let at = start
  while (at < source.length) {
    const character = source[at]
    if (source.startsWith('}}', at)) return at
    if (character === '"' || character === '`') {
      STRING.lastIndex = at
      if (!STRING.test(source)) return undefined
      at = STRING.lastIndex
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      if (end === -1) return undefined
      at = end + 2
    } else at++
  }
  return undefined
}

const isComment = (action: string): boolean =>
  action.startsWith('/*') && action.indexOf('*/', 2) === action.length - '*/'.length

/** In one pass: what it costs grows with the length of the text, whatever is in it. */
const splitActions = (source: string): Piece[] => {
  const pieces: Piece[] = []
  let at = 0
  let trims = false
  const addText = (end: number, trimsEnd: boolean): void => {
    const text = source.slice(at, end)
    const started = trims ? text.trimStart() : text
    const trimmed = trimsEnd ? started.trimEnd() : started
    if (trimmed !== '') pieces.push({ text: trimmed })
  }
  for (;;) {
    const open = source.indexOf('{{', at)
    if (open === -1) break
    const close = endOfAction(source, open + 2)
    if (close === undefined) throw new TemplateError(`"${source.slice(open)}" is never closed by "}}"`)
    const inside = source.slice(open + 2, close)
    const trimsBefore = /^-\s/.test(inside)
    addText(open, trimsBefore)
    trims = /\s-$/.test(inside)
    const action = inside.slice(trimsBefore ? 1 : 0, trims ? -1 : undefined).trim()
    if (!isComment(action)) pieces.push({ action })
    at = close + 2
  }
  addText(source.length, false)
  return pieces
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d\w*)|((?:\.\w+)+)(?![\w.])|(\.)(?!\w)|([A-Za-z_]\w*)|([()|])|(\S+))/gy

type Token = { readonly kind: 'operand'; readonly operand: Operand } | { readonly kind: 'open' | 'close' | 'pipe' }

const missing = ['range', 'with', 'define', 'template', 'block', 'break', 'continue']

/** Parentheses, and `if` in `if`, one in the other: more are no template but an accident, and would take all of the stack. */
const MAX_DEPTH = 100

class Parser {
  readonly #pieces: readonly Piece[]
  #at = 0
  #depth = 0

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  template(): Template {
    const { nodes, end } = this.#nodes()
    if (end !== undefined) throw new TemplateError(`"{{${end}}}" without "{{if …}}"`)
    return nodes
  }

  /** Up to the end, or to an `else` or `end` that is none of theirs. */
  #nodes(): { readonly nodes: Node[]; readonly end: string | undefined } {
    const nodes: Node[] = []
    for (;;) {
      const piece = this.#pieces[this.#at++]
      if (!piece) return { nodes, end: undefined }
      if ('text' in piece) {
        nodes.push({ kind: 'text', text: piece.text })
        continue
      }
      const { action } = piece
      const [word = ''] = action.split(/\s/, 1)
      if (word === 'end' || word === 'else') return { nodes, end: action }
      if (missing.includes(word)) throw new TemplateError(`"${word}" is not known here; there is "if"`)
      nodes.push(word === 'if' ? this.#if(action.slice(2)) : { kind: 'value', pipeline: parsePipeline(action) })
    }
  }

  #if(condition: string): Node {
    if (++this.#depth > MAX_DEPTH) throw new TemplateError(`more than ${MAX_DEPTH} "if" one in the other`)
    const branches: Branch[] = []
    for (let next: string | undefined = condition; next !== undefined; ) {
      const parsed = parsePipeline(next)
      const { nodes: body, end } = this.#nodes()
      branches.push({ condition: parsed, body })
      if (end === undefined) throw new TemplateError('"{{if …}}" without "{{end}}"')
      next = /^else\s+if\s+(.+)$/s.exec(end)?.[1]
      if (next !== undefined) continue
      const otherwise = this.#otherwise(end)
      this.#depth--
      return { kind: 'if', branches, otherwise }
    }
    throw new TemplateError('"{{if}}" without a condition')
  }

  /** What stands behind `else`, up to the end. `end`: what ended the last branch. */
  #otherwise(end: string): Template {
    if (end === 'end') return []
    if (end !== 'else') throw new TemplateError(`"{{${end}}}" is not understood`)
    const { nodes, end: last } = this.#nodes()
    if (last !== 'end') throw new TemplateError('"{{else}}" without "{{end}}"')
    return nodes
  }
}

const parsePipeline = (text: string): Pipeline => {
  const tokens = [...text.matchAll(TOKEN)].map(match => readToken(match))
  const reader = { tokens, at: 0, depth: 0 }
  const pipeline = readPipeline(reader, text)
  if (reader.at < tokens.length) throw new TemplateError(`")" without "(" in "${text}"`)
  return pipeline
}

const readToken = ([, string, number, field, dot, word, sign, stray]: RegExpExecArray): Token => {
  if (string !== undefined) return operand({ kind: 'constant', value: readString(string) })
  if (number !== undefined) return operand({ kind: 'constant', value: readInteger(number) })
  if (field !== undefined) return operand({ kind: 'field', path: field.slice(1).split('.') })
  if (dot !== undefined) return operand({ kind: 'field', path: [] })
  if (word !== undefined) return operand(readWord(word))
  if (sign !== undefined) return { kind: sign === '(' ? 'open' : sign === ')' ? 'close' : 'pipe' }
  throw new TemplateError(stray?.startsWith('$') ? 'variables ($x) are not known here' : `"${stray}" is not understood`)
}

const operand = (value: Operand): Token => ({ kind: 'operand', operand: value })

const readString = (text: string): string => {
  if (text.startsWith('`')) return text.slice(1, -1)
  try {
    return String(JSON.parse(text))
  } catch {
    throw new TemplateError(`${text} is not a string`)
  }
}

const readInteger = (text: string): bigint => {
  const match = /^(-?)(\d+|0[xX][\da-fA-F]+)$/.exec(text)
  if (!match) throw new TemplateError(`"${text}" is not a whole number`)
  const number = BigInt(match[2]!)
  return match[1] === '-' ? -number : number
}

const words: ReadonlyMap<string, boolean | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['nil', undefined],
])

const readWord = (word: string): Operand => {
  if (words.has(word)) return { kind: 'constant', value: words.get(word) }
  if (templateFunctions.has(word)) return { kind: 'function', name: word }
  throw new TemplateError(`unknown function "${word}"${suggestion(word, templateFunctions.keys())}`)
}

interface Tokens {
  readonly tokens: readonly Token[]
  at: number
  /** Parentheses that are open. */
  depth: number
}

/** Up to the end or to a parenthesis that is not its own. */
const readPipeline = (reader: Tokens, text: string): Pipeline => {
  const pipeline: Command[] = []
  let command: Operand[] = []
  const endCommand = (): void => {
    const [first, ...others] = command
    if (!first) throw new TemplateError(`a value is missing in "{{${text}}}"`)
    if (others.length > 0 && (first.kind === 'constant' || first.kind === 'pipeline'))
      throw new TemplateError(`a function is missing in "{{${text}}}"`)
    pipeline.push([first, ...others])
    command = []
  }
  for (; reader.at < reader.tokens.length; reader.at++) {
    const token = reader.tokens[reader.at]!
    if (token.kind === 'close') break
    if (token.kind === 'pipe') endCommand()
    else if (token.kind === 'operand') command.push(token.operand)
    else {
      reader.at++
      if (++reader.depth > MAX_DEPTH) throw new TemplateError(`more than ${MAX_DEPTH} "(" one in the other`)
      command.push({ kind: 'pipeline', pipeline: readPipeline(reader, text) })
      reader.depth--
      if (reader.tokens[reader.at]?.kind !== 'close') throw new TemplateError(`"(" without ")" in "{{${text}}}"`)
    }
  }
  endCommand()
  return pipeline
}

/** The fields that a template names, for those who know which there are. */
export const fieldsOf = (template: Template): (readonly string[])[] =>
  template.flatMap(node => {
    if (node.kind === 'text') return []
    if (node.kind === 'value') return fieldsOfPipeline(node.pipeline)
    const branches = node.branches.flatMap(({ condition, body }) => [...fieldsOfPipeline(condition), ...fieldsOf(body)])
    return [...branches, ...fieldsOf(node.otherwise)]
  })

const fieldsOfPipeline = (pipeline: Pipeline): (readonly string[])[] =>
  pipeline.flat().flatMap(part => {
    if (part.kind === 'field') return [part.path]
    return part.kind === 'pipeline' ? fieldsOfPipeline(part.pipeline) : []
  })
