/**
 * CEL as Kubernetes has it, for validation rules of custom resources, admission policies and match conditions: parsed by
 * @marcbachmann/cel-js, checked against the types of its variables, and run under a bound on what it may cost.
 *
 * Promised: no expression runs longer than its limit allows, whatever its input (regular expressions are RE2, results are
 * paid for before they are made); nothing that it is given is changed; what is wrong is a value.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Checked } from './checked.ts'
import { Checker } from './checker.ts'
import type { Declared } from './cost/declared.ts'
import { Estimator } from './cost/estimator.ts'
import { Frame, type Lazy, type Run } from './frame.ts'
import type { CelFunction } from './function.ts'
import { LIBRARY } from './library/index.ts'
import { Functions } from './overloads.ts'
import { parse, tooDeep } from './parse.ts'
import { showProblems } from './position.ts'
import { Scope } from './scope.ts'
import { type CelType, describeType, fits } from './type.ts'
import { CelBudgetError, CelError, type CelValue } from './value.ts'

/** cel-go's units: what one expression may cost. Kubernetes: about a tenth of a second. */
export const CALL_LIMIT = 1_000_000
/** What all expressions on one object may cost together. */
export const OBJECT_LIMIT = 10_000_000
/** What all match conditions on one object may cost together. */
export const MATCH_CONDITIONS_LIMIT = 2_500_000

export interface CompileOptions {
  /** What the expression must give; absent: anything. Several: one of them. */
  readonly result?: readonly CelType[]
  /** Further functions, such as an authorizer's. */
  readonly functions?: readonly CelFunction[]
  /** The sizes of what the variables hold: for an estimate of what the expression may cost. */
  readonly declared?: Declared
}

export interface Evaluation {
  /** Refused: what went wrong, in cel-go's words. */
  readonly outcome: Result<CelValue, string>
  /** What it cost, also where it failed: for a budget that several expressions share. */
  readonly cost: number
  /** Whether it was stopped because it cost too much. */
  readonly exceeded: boolean
}

export interface Program {
  readonly type: CelType
  /** What it may cost at worst, in cel-go's unit; 0 where no sizes were declared. */
  readonly worst: number
  /**
   * `variables`: by name; a function is called once, if the expression asks for the variable at all. JSON becomes values by
   * `fromJson`. `limit`: in cel-go's unit, CALL_LIMIT unless said.
   */
  evaluate(variables: Readonly<Record<string, CelValue | Lazy>>, limit?: number): Evaluation
}

const STANDARD = new Functions(LIBRARY)

class CheckedProgram implements Program {
  readonly type: CelType
  readonly worst: number
  readonly #run: Run
  readonly #names: readonly string[]

  constructor({ type, run }: Checked, names: readonly string[], worst: number) {
    this.type = type
    this.worst = worst
    this.#run = run
    this.#names = names
  }

  evaluate(variables: Readonly<Record<string, CelValue | Lazy>>, limit = CALL_LIMIT): Evaluation {
    const frame = new Frame(
      this.#names.map(name => variables[name]),
      Math.min(limit, CALL_LIMIT),
    )
    const ended = (outcome: Evaluation['outcome'], exceeded = false): Evaluation => ({
      outcome,
      cost: frame.cost,
      exceeded,
    })
    try {
      return ended(accepted(this.#run(frame)))
    } catch (error) {
      if (error instanceof CelBudgetError) return ended(refused(error.message), true)
      // A text or a list beyond what memory takes, an expression beyond what the stack takes.
      if (error instanceof CelError || error instanceof RangeError) return ended(refused(error.message))
      throw error
    }
  }
}

/** What the parser let pass may nest deeper than can be looked at. */
const within = <T>(expression: string, act: () => T): Result<T, string> => {
  try {
    return accepted(act())
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return refused(tooDeep(expression))
  }
}

/** How the problem of a constant begins that cannot be worked out. */
export const FOLDING = 'program instantiation failed:'

/**
 * `variables`: the types of what the expression may name. Refused: everything wrong with it, as cel-go shows it (`ERROR:
 * <input>:1:5: undefined field 'x'` and the place), one after another.
 */
export const compile = (
  expression: string,
  variables: Readonly<Record<string, CelType>>,
  { result, functions, declared }: CompileOptions = {},
): Result<Program, string> => {
  const parsed = parse(expression)
  if (!parsed.ok) return parsed
  const { tree, optionals, show } = parsed.value
  const checker = new Checker(functions ? new Functions([...LIBRARY, ...functions]) : STANDARD, optionals)
  const checked = within(expression, () => checker.check(tree, Scope.of(Object.entries(variables))))
  if (!checked.ok) return checked
  const { type } = checked.value
  const problems = checker.problems.length > 0 ? checker.problems : checker.warnings
  if (problems.length > 0) return refused(showProblems(problems, show))
  if (result && !result.some(wanted => fits(wanted, type) && type.form !== 'null')) {
    return refused(`must evaluate to ${result.map(describeType).join(' or ')}`)
  }
  if (checker.failure !== undefined) return refused(`${FOLDING} ${checker.failure}`)
  const worst = within(expression, () => (declared ? new Estimator(checker, declared).worst(tree) : 0))
  return worst.ok ? accepted(new CheckedProgram(checked.value, Object.keys(variables), worst.value)) : worst
}
