/** The Corefile as a tree: what the parser makes and what plugins read. */

/** Where a word stands. */
export interface Position {
  /** The path as the user gave it; an imported file has its own. */
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** A word of the Corefile after quotes, environment variables and snippet arguments are resolved. */
export interface Word {
  readonly text: string
  readonly position: Position
}

/** A line inside a directive's braces: a property with its arguments. Nested braces (`template`, `log`) become `body`. */
export interface Property {
  readonly name: Word
  readonly arguments: readonly Word[]
  readonly body: readonly Property[]
}

/** `cache 30 { … }`. */
export interface Directive {
  readonly name: Word
  readonly arguments: readonly Word[]
  readonly properties: readonly Property[]
}

/** `example.org:1053 { … }`. */
export interface ServerBlock {
  /** Zone addresses as written: `cluster.local:53`, `dns://.:1053`, `10.0.0.0/8`. */
  readonly keys: readonly Word[]
  readonly directives: readonly Directive[]
}

export interface Corefile {
  readonly blocks: readonly ServerBlock[]
}

/** What is wrong, and where: printed as `Corefile:7: cache: "3x" is not a number of seconds (0 to 3600)`. */
export interface CorefileProblem {
  readonly position: Position
  readonly message: string
  /** Of other lines of the same directive. */
  readonly further?: readonly CorefileProblem[]
}

export const formatProblem = ({ position, message }: CorefileProblem): string =>
  `${position.file}:${position.line}: ${message}`

/** A directive without its positions, to compare it with another. */
export const wordsOf = (directive: Directive): unknown =>
  JSON.parse(JSON.stringify(directive, (key, value) => (key === 'position' ? undefined : value)))
