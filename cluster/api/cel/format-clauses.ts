/** The clauses of `format` (`%d`, `%.2f`): what each takes, and what is said of anything else. */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { CelType } from './type.ts'

export interface FormatProblem {
  readonly text: string
  /** Which of the values it is about; absent: the call. */
  readonly node?: ASTNode
}

interface Clause {
  readonly takes: ReadonlySet<CelType['form']>
  readonly rule: string
}

const clause = (rule: string, ...takes: readonly CelType['form'][]): Clause => ({ takes: new Set(takes), rule })

const DECIMAL = 'clause can only be used on integers'
const DOUBLE = 'clause can only be used on doubles'
const HEX = clause('only integers, byte buffers, and strings can be formatted as hex', 'int', 'uint', 'string', 'bytes')

const CLAUSES: ReadonlyMap<string, Clause> = new Map([
  [
    's',
    clause(
      'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
      ...([
        'list',
        'map',
        'int',
        'uint',
        'double',
        'bool',
        'string',
        'timestamp',
        'bytes',
        'duration',
        'type',
      ] as const),
      'null',
    ),
  ],
  ['d', clause(`decimal ${DECIMAL}`, 'int', 'uint')],
  // The names of what is no number are texts.
  ['f', clause(`fixed-point ${DOUBLE}`, 'double', 'string')],
  ['e', clause(`scientific ${DOUBLE}`, 'double', 'string')],
  ['b', clause('only integers and bools can be formatted as binary', 'int', 'uint', 'bool')],
  ['x', HEX],
  ['X', HEX],
  ['o', clause(`octal ${DECIMAL}`, 'int', 'uint')],
])

/** What is said of a value whose type a clause does not take. */
export const wrongFor = (verb: string, typeName: string): string =>
  `error during formatting: ${CLAUSES.get(verb)?.rule ?? ''}, was given ${typeName}`

const NAMES: Readonly<Partial<Record<CelType['form'], string>>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  optional: 'optional_type',
}

const nameOf = (type: CelType): string =>
  type.form === 'object' || type.form === 'foreign' ? type.name : (NAMES[type.form] ?? type.form)

const isTaken = ({ takes }: Clause, type: CelType): boolean =>
  type.form === 'dyn' || type.form === 'parameter' || takes.has(type.form)

const PARSING = 'could not parse formatting clause:'
const PRECISION = `${PARSING} error while parsing precision:`

/** The first part of what is written out whose type a text clause does not take. */
const unshown = (clause: Clause, node: ASTNode, typeOf: (node: ASTNode) => CelType): ASTNode | undefined => {
  if (!isTaken(clause, typeOf(node))) return node
  const parts: readonly ASTNode[] = node.op === 'list' ? node.args : node.op === 'map' ? node.args.flat() : []
  for (const part of parts) {
    const found = unshown(clause, part, typeOf)
    if (found) return found
  }
  return undefined
}

/** One of `%s`, `%.2f`, `%%`. */
const CLAUSE = /%(?:%|(?<point>\.)?(?<digits>(?<=\.)\d*)?(?<verb>.)?)/gs

/** Behind the sign: a point with digits, and a letter. */
const syntaxProblem = ({ point, digits = '', verb = '' }: Partial<Record<string, string>>): string | undefined => {
  if (point === undefined && verb === '') return 'unexpected end of string'
  if (point !== undefined && verb === '') return `${PRECISION} could not find end of precision specifier`
  if (point !== undefined && digits === '')
    return `${PRECISION} error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`
  return CLAUSES.has(verb) ? undefined : `${PARSING} unrecognized formatting clause "${verb}"`
}

/** What is wrong with a value where a clause that is right takes it. */
const typeProblem = (verb: string, node: ASTNode, typeOf: (node: ASTNode) => CelType): FormatProblem | undefined => {
  const clause = CLAUSES.get(verb)
  if (!clause) return undefined
  const wrong = verb === 's' ? unshown(clause, node, typeOf) : isTaken(clause, typeOf(node)) ? undefined : node
  return wrong && { text: wrongFor(verb, nameOf(typeOf(wrong))), node: wrong }
}

/** What is wrong with a pattern that is written out, for values that are: the first problem, as cel-go's validator has it. */
export const checkFormat = (
  pattern: string,
  values: readonly ASTNode[],
  typeOf: (node: ASTNode) => CelType,
): FormatProblem | undefined => {
  const clauses = [...pattern.matchAll(CLAUSE)].filter(([all]) => all !== '%%')
  for (const [index, { 0: all, groups = {} }] of clauses.entries()) {
    const node = values[index]
    if (!node && all !== '%') return { text: `index ${index} out of range` }
    const text = syntaxProblem(groups)
    const problem = text === undefined ? typeProblem(groups.verb ?? '', node!, typeOf) : { text }
    if (problem) return problem
  }
  if (values.length <= clauses.length) return undefined
  return { text: `too many arguments supplied to string.format (expected ${clauses.length}, got ${values.length})` }
}
