/** expr-lang's functions that ask something of each element of a list. */
import { spend } from './budget.ts'
import { ExpressionError, type Place } from './expression-error.ts'
import { booleanOf, type Scalar, type Subject, type Typed, type TypedList } from './typed.ts'

/** What is asked of each element. */
interface Predicate {
  readonly asked: Typed
  /** Makes the value the element that is asked about. */
  readonly take: (value: Scalar) => void
}

type PredicateFunction = (place: Place, list: TypedList, predicate: Predicate) => Typed
type Elements = readonly Scalar[]

/** `ask`, of one element after the other. */
const eachOf =
  <Result>(ask: (subject: Subject) => Result, take: Predicate['take'], subject: Subject) =>
  (value: Scalar): Result => {
    spend(1)
    take(value)
    return ask(subject)
  }

type Holds = (value: Scalar) => boolean

const conditionOf = ({ text: who }: Place, { asked, take }: Predicate): ((subject: Subject) => Holds) => {
  const { of } = booleanOf(asked, `the second argument of ${who}`)
  return subject => eachOf(of, take, subject)
}

const decided =
  (decide: (elements: Elements, holds: Holds) => boolean): PredicateFunction =>
  (place, list, predicate) => {
    const condition = conditionOf(place, predicate)
    return { place, type: 'boolean', of: subject => decide(list.of(subject), condition(subject)) }
  }

const count: PredicateFunction = (place, list, predicate) => {
  const condition = conditionOf(place, predicate)
  return { place, type: 'number', of: subject => list.of(subject).filter(condition(subject)).length }
}

const filter: PredicateFunction = (place, list, predicate) => {
  const condition = conditionOf(place, predicate)
  return { ...list, place, of: subject => list.of(subject).filter(condition(subject)) }
}

const map: PredicateFunction = (place, list, { asked, take }) => {
  if (asked.type === 'list') throw new ExpressionError(asked.place, 'is a list, and lists have none in them')
  const { type: items, of } = asked
  const among = asked.type === 'string' ? asked.among : undefined
  const ask = of as (subject: Subject) => Scalar
  return { place, type: 'list', items, of: subject => list.of(subject).map(eachOf(ask, take, subject)), among }
}

export const predicateFunctions: ReadonlyMap<string, PredicateFunction> = new Map([
  ['all', decided((elements, holds) => elements.every(holds))],
  ['any', decided((elements, holds) => elements.some(holds))],
  ['none', decided((elements, holds) => !elements.some(holds))],
  ['one', decided((elements, holds) => elements.filter(holds).length === 1)],
  ['count', count],
  ['filter', filter],
  ['map', map],
])
