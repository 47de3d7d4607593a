/** expr-lang's functions of lists. */
import { EvaluationError, ExpressionError, type Place } from './expression-error.ts'
import type { ExpressionFunction, Functions } from './function.ts'
import { joined } from './text-functions.ts'
import { checkedNumber, type Scalar, type Subject, type TypedList, type TypedString, typedAs } from './typed.ts'

const join: ExpressionFunction = {
  parameters: ['LIST', 'PART'],
  optional: 1,
  make: (place, values) => {
    const [list, glue] = values as readonly [TypedList, TypedString | undefined]
    if (list.items === 'number' || list.items === 'boolean')
      throw new ExpressionError(list.place, 'join wants a list of strings')
    const of = (subject: Subject) => joined(list.of(subject) as readonly string[], glue?.of(subject) ?? '', place)
    return { place, type: 'string', of }
  },
}

/** The least or the greatest of a list of numbers. */
const extreme = (choose: (...values: readonly number[]) => number): ExpressionFunction => ({
  parameters: ['LIST'],
  make: (place, values) => {
    const of = numbersOf(values[0] as TypedList, place)
    return { place, type: 'number', of: subject => choose(...someOf(of(subject), place)) }
  },
})

const numbersOf = (list: TypedList, { text: who }: Place): ((subject: Subject) => readonly number[]) => {
  if (list.items !== 'number') throw new ExpressionError(list.place, `${who} wants a list of numbers`)
  return list.of as (subject: Subject) => readonly number[]
}

const someOf = <Item>(items: readonly Item[], { text: who }: Place): readonly Item[] => {
  if (items.length === 0) throw new EvaluationError(`${who}: the list is empty`)
  return items
}

const sum: ExpressionFunction = {
  parameters: ['LIST'],
  make: (place, values) => {
    const of = numbersOf(values[0] as TypedList, place)
    const add = (subject: Subject) =>
      checkedNumber(
        of(subject).reduce((all, value) => all + value, 0),
        place.text,
      )
    return { place, type: 'number', of: add }
  },
}

/** The first or the last. */
const end = (at: 0 | -1): ExpressionFunction => ({
  parameters: ['LIST'],
  make: (place, values) => {
    const { items, of, among } = values[0] as TypedList
    if (!items) throw new ExpressionError(place, 'has nothing to take from an empty list')
    return typedAs(place, items, subject => someOf(of(subject), place).at(at)!, among)
  },
})

const rearranged = (change: (items: readonly Scalar[]) => readonly Scalar[]): ExpressionFunction => ({
  parameters: ['LIST'],
  make: (place, values) => {
    const list = values[0] as TypedList
    return { ...list, place, of: subject => change(list.of(subject)) }
  },
})

export const listFunctions: Functions = new Map<string, ExpressionFunction>([
  ['join', join],
  ['max', extreme(Math.max)],
  ['min', extreme(Math.min)],
  ['sum', sum],
  ['first', end(0)],
  ['last', end(-1)],
  ['reverse', rearranged(items => items.toReversed())],
  ['uniq', rearranged(items => [...new Set(items)])],
  ['sort', rearranged(items => items.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0)))],
])
