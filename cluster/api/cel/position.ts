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

/** `ERROR: <input>:1:5: TEXT`, with the line and a mark below the place. */
export const showProblem = (source: string, position: number, text: string): string => {
  const lines = source.slice(0, position).split('\n')
  const column = Array.from(lines.at(-1) ?? '').length
  const line = source.split('\n')[lines.length - 1] ?? ''
  return `ERROR: <input>:${lines.length}:${column + 1}: ${text}\n | ${line}\n | ${'.'.repeat(column)}^`
}
