/** What names mean at a place in an expression. */
import type { CelType } from './type.ts'

interface Variable {
  readonly type: CelType
  readonly slot: number
}

export class Scope {
  readonly #parent: Scope | undefined
  readonly #variables = new Map<string, Variable>()
  readonly #count: { slots: number }

  private constructor(parent: Scope | undefined, count: { slots: number }) {
    this.#parent = parent
    this.#count = count
  }

  static of(variables: Iterable<readonly [string, CelType]>): Scope {
    const scope = new Scope(undefined, { slots: 0 })
    for (const [name, type] of variables) scope.#add(name, type)
    return scope
  }

  /** The innermost. */
  find(name: string): Variable | undefined {
    return this.#variables.get(name) ?? this.#parent?.find(name)
  }

  /** The same with further variables, whose slots are their own. */
  with(...variables: readonly (readonly [string, CelType])[]): {
    readonly scope: Scope
    readonly slots: readonly number[]
  } {
    const scope = new Scope(this, this.#count)
    return { scope, slots: variables.map(([name, type]) => scope.#add(name, type)) }
  }

  #add(name: string, type: CelType): number {
    const slot = this.#count.slots++
    this.#variables.set(name, { type, slot })
    return slot
  }
}
