/** Texts that many records share, as small numbers; one that nobody has any more gives its number back. */
import { strict as assert } from 'node:assert'

export class TextPool {
  readonly #numbers = new Map<string, number>()
  readonly #texts: (string | undefined)[] = []
  readonly #users: number[] = []
  readonly #free: number[] = []

  /** The text's number, with one user more. */
  take(text: string): number {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#free.pop() ?? this.#texts.length
      this.#numbers.set(text, number)
      this.#texts[number] = text
      this.#users[number] = 0
    }
    this.#users[number]!++
    return number
  }

  release(number: number): void {
    if (--this.#users[number]! > 0) return
    this.#numbers.delete(this.text(number))
    this.#texts[number] = undefined
    this.#free.push(number)
  }

  find(text: string): number | undefined {
    return this.#numbers.get(text)
  }

  text(number: number): string {
    const text = this.#texts[number]
    assert(text !== undefined, 'a number without a text')
    return text
  }
}
