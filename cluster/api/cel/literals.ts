/** What is written out as an argument is looked at before anything runs, as cel-go's validators do. */
import type { ASTNode } from '@marcbachmann/cel-js'
import { compilePattern } from './library/regex.ts'
import { parseDuration, parseTime } from './time.ts'
import { CelError } from './value.ts'

const CHECKS: Readonly<Record<string, (text: string) => unknown>> = {
  timestamp: parseTime,
  duration: parseDuration,
  matches: compilePattern,
}

/** Whether the argument of a function may be that, as far as it is a text that stands there. */
export const isGoodLiteral = (name: string, argument: ASTNode): boolean => {
  if (argument.op !== 'value' || typeof argument.args !== 'string' || !Object.hasOwn(CHECKS, name)) return true
  try {
    CHECKS[name]!(argument.args)
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}
