/** Types as expressions name them: `int`, `net.IP`. */
import type { ASTNode } from '@marcbachmann/cel-js'
import { TypeName } from './value.ts'

export const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
])

const QUALIFIED: ReadonlyMap<string, TypeName> = new Map(
  ['google.protobuf.Timestamp', 'google.protobuf.Duration', 'net.IP', 'net.CIDR'].map(name => [
    name,
    new TypeName(name),
  ]),
)

/** `a.b.c`; undefined: the node is no such name of so many parts. */
const qualifiedName = (node: ASTNode, parts = 3): string | undefined => {
  if (node.op === 'id') return node.args
  if (node.op !== '.' || parts === 1) return undefined
  const [operand, name] = node.args as [ASTNode, string]
  const inner = qualifiedName(operand, parts - 1)
  return inner === undefined ? undefined : `${inner}.${name}`
}

/** Undefined: the node names no type. */
export const qualifiedType = (node: ASTNode): TypeName | undefined => QUALIFIED.get(qualifiedName(node) ?? '')
