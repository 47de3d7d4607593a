/** Which function a name means: by the types where they are known, by the values where they are not. */
import type { Run } from './frame.ts'
import type { CelFunction } from './function.ts'
import { CelError, type CelValue, isOfType } from './value.ts'

/** Functions by name, kind and number of parameters. */
export class Functions {
  readonly #byName = new Map<string, CelFunction[]>()
  readonly #names = new Set<string>()

  constructor(functions: Iterable<CelFunction>) {
    for (const fn of functions) {
      const key = `${fn.method ? '.' : ''}${fn.name}/${fn.parameters.length}`
      this.#names.add(`${fn.method ? '.' : ''}${fn.name}`)
      const overloads = this.#byName.get(key)
      if (overloads) overloads.push(fn)
      else this.#byName.set(key, [fn])
    }
  }

  /** `count`: of arguments, the receiver included. */
  overloads(name: string, isMethod: boolean, count: number): readonly CelFunction[] {
    return this.#byName.get(`${isMethod ? '.' : ''}${name}/${count}`) ?? []
  }

  has(name: string, isMethod = false): boolean {
    return this.#names.has(`${isMethod ? '.' : ''}${name}`)
  }
}

export const callOf =
  (fn: CelFunction, runs: readonly Run[]): Run =>
  frame =>
    invoke(
      fn,
      runs.map(run => run(frame)),
      frame.charge,
    )

const invoke = (fn: CelFunction, args: readonly CelValue[], charge: (cost: number) => void): CelValue => {
  charge(fn.cost?.run?.(args) ?? 1)
  return fn.call(args, charge)
}

/** Chooses by what the arguments turn out to be. */
export const dispatchOf =
  (functions: readonly CelFunction[], runs: readonly Run[]): Run =>
  frame => {
    const args = runs.map(run => run(frame))
    const fn = functions.find(({ parameters }) => parameters.every((type, index) => isOfType(args[index]!, type)))
    if (!fn) throw new CelError('no such overload')
    return invoke(fn, args, frame.charge)
  }
