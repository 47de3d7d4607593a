/** Where in an expression a problem is shown: at the operator, as cel-go does, or where the part begins. */
import type { ASTNode } from '@marcbachmann/cel-js'

const after = (node: ASTNode, start: number, text: string): number => {
  const found = node.input.indexOf(text, start)
  return found < 0 ? node.start : found
}

/** Offset in UTF-16 units. */
export const operatorPosition = (node: ASTNode): number => {
  switch (node.op) {
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return node.start
    case 'call':
      return after(node, node.start, '(')
    case 'rcall':
      return after(node, after(node, node.args[1].end, node.args[0]), '(')
    case '.':
    case '.?':
      return after(node, node.args[0].end, '.')
    case '[]':
    case '[?]':
      return after(node, node.args[0].end, '[')
    case '?:':
      return after(node, node.args[0].end, '?')
    default:
      return after(node, (node.args as readonly [ASTNode, ASTNode])[0].end, node.op)
  }
}

/** Bytes: longer lines are not shown. */
const LONGEST_LINE = 16_384

/** A mark as wide as the sign above it. */
const marked = (sign: string, narrow: string, wide: string): string => (/^\p{ASCII}?$/u.test(sign) ? narrow : wide)

/** `ERROR: <input>:1:5: TEXT`, with the line and a mark below the place. */
export const showProblem = (source: string, position: number, text: string): string => {
  const lines = source.slice(0, position).split('\n')
  const before = Array.from(lines.at(-1) ?? '')
  const told = `ERROR: <input>:${lines.length}:${before.length + 1}: ${text}`
  const line = source.split('\n')[lines.length - 1] ?? ''
  if (Buffer.byteLength(line) > LONGEST_LINE) return told
  const dots = before.map(sign => marked(sign, '.', '．')).join('')
  const at = marked(Array.from(line)[before.length] ?? '', '^', '＾')
  return `${told}\n | ${line.replaceAll('\t', ' ')}\n | ${dots}${at}`
}

const MAX_TOLD = 100

/** What is wrong in several places, in their order, as far as it helps. `show`: one of them. */
export const showProblems = (
  problems: readonly { readonly position: number; readonly text: string }[],
  show: (position: number, text: string) => string,
): string => {
  const told = problems.slice(0, MAX_TOLD).sort((a, b) => a.position - b.position)
  const more = problems.length - told.length
  const last = more > 0 ? [`${more} more errors were truncated`] : []
  return [...told.map(({ position, text }) => show(position, text)), ...last].join('\n')
}
