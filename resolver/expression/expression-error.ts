/** A piece of an expression, and where it begins (from 1). */
export interface Place {
  readonly text: string
  readonly column: number
}

/** What is wrong with an expression. The message is for people: it names the place and its text. */
export class ExpressionError extends Error {
  constructor({ text, column }: Place, problem: string) {
    super(text === '' ? `column ${column}: ${problem}` : `column ${column}, "${text}": ${problem}`)
  }
}

/** What an expression cannot do with the values of a question (`int('x')`). The message is for people. */
export class EvaluationError extends Error {}
