/**
 * JSONPath as kubectl's columns have it (k8s.io/client-go/util/jsonpath): fields, indices and slices, wildcards, recursion
 * and filters of one comparison.
 */
import { isObject } from '../own-property.ts'

type Step = (values: readonly unknown[]) => unknown[]

const fieldOf = (value: unknown, name: string): unknown[] =>
  isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []

const field =
  (name: string): Step =>
  values =>
    values.flatMap(value => fieldOf(value, name))

const children = (value: unknown): unknown[] =>
  Array.isArray(value)
    ? value
    : isObject(value)
      ? Object.keys(value)
          .sort()
          .map(key => value[key])
      : []

const wildcard: Step = values => values.flatMap(children)

const descendants = (value: unknown): unknown[] => [value, ...children(value).flatMap(descendants)]

const slice =
  (start: number | undefined, end: number | undefined, step: number): Step =>
  values =>
    values.flatMap(value =>
      Array.isArray(value) ? value.slice(start, end).filter((_item, index) => index % step === 0) : [],
    )

const item =
  (index: number): Step =>
  values =>
    values.flatMap(value => {
      const found = Array.isArray(value) ? value.at(index) : undefined
      return found === undefined ? [] : [found]
    })

const COMPARISONS: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => typeof a === typeof b && (a as number) < (b as number),
  '<=': (a, b) => typeof a === typeof b && (a as number) <= (b as number),
  '>': (a, b) => typeof a === typeof b && (a as number) > (b as number),
  '>=': (a, b) => typeof a === typeof b && (a as number) >= (b as number),
}

const COMPARISON = /==|!=|<=|>=|<|>/

type Operand = (value: unknown) => unknown[]

/** `@.type`, `"Ready"`, `3`, `true`. Undefined: none of them. */
const operand = (text: string): Operand | undefined => {
  const quoted = /^'(.*)'$/.exec(text)?.[1] ?? /^"(.*)"$/.exec(text)?.[1]
  if (quoted !== undefined) return () => [quoted]
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => [Number(text)]
  if (text === 'true' || text === 'false') return () => [text === 'true']
  if (!text.startsWith('@')) return undefined
  const steps = parseSteps(text.slice(1))
  return steps && (value => run(steps, value))
}

const filter = (text: string): Step | undefined => {
  if (!text.startsWith('?(') || !text.endsWith(')')) return undefined
  const inner = text.slice(2, -1)
  const found = COMPARISON.exec(inner)
  const subject = operand(inner.slice(0, found?.index).trim())
  if (!subject) return undefined
  if (!found) return values => values.flatMap(children).filter(value => subject(value).length > 0)
  const [comparison] = found
  const object = operand(inner.slice(found.index + comparison.length).trim())
  const holds = COMPARISONS[comparison]
  if (!object || !holds) return undefined
  return values =>
    values.flatMap(children).filter(value => {
      const [a] = subject(value)
      const [b] = object(value)
      return a !== undefined && b !== undefined && holds(a, b)
    })
}

const bracket = (text: string): Step | undefined => {
  if (text === '*') return wildcard
  const quoted = /^'(.*)'$/.exec(text)?.[1] ?? /^"(.*)"$/.exec(text)?.[1]
  if (quoted !== undefined) return field(quoted)
  if (/^-?\d+$/.test(text)) return item(Number(text))
  const range = /^(-?\d+)?:(-?\d+)?(?::(\d+))?$/.exec(text)
  if (range) {
    const bound = (part: string | undefined) => (part === undefined ? undefined : Number(part))
    return slice(bound(range[1]), bound(range[2]), Math.max(1, bound(range[3]) ?? 1))
  }
  return text.startsWith('?') ? filter(text) : undefined
}

/** Where the bracket that opens at `start` closes: texts and brackets within are its own. */
const closing = (text: string, start: number): number => {
  let depth = 0
  let quote = ''
  for (let index = start; index < text.length; index++) {
    const letter = text[index]!
    if (quote !== '') quote = letter === quote ? '' : quote
    else if (letter === "'" || letter === '"') quote = letter
    else if (letter === '[') depth++
    else if (letter === ']' && --depth === 0) return index
  }
  return -1
}

const NAME = /(?:[^.[\]\\]|\\.)+/y

const parseSteps = (text: string): readonly Step[] | undefined => {
  const steps: Step[] = []
  for (let at = 0; at < text.length; ) {
    if (text[at] === '[') {
      const end = closing(text, at)
      const step = end < 0 ? undefined : bracket(text.slice(at + 1, end).trim())
      if (!step) return undefined
      steps.push(step)
      at = end + 1
      continue
    }
    if (text[at] !== '.') return undefined
    if (text[at + 1] === '.') {
      steps.push(values => values.flatMap(descendants))
      at++
    }
    at++
    if (text[at] === '[' || at === text.length) continue
    NAME.lastIndex = at
    const name = NAME.exec(text)?.[0]
    if (name === undefined) return undefined
    steps.push(name === '*' ? wildcard : field(name.replaceAll('\\', '')))
    at = NAME.lastIndex
  }
  return steps
}

const run = (steps: readonly Step[], value: unknown): unknown[] =>
  steps.reduce<unknown[]>((values, step) => step(values), [value])

/** What lies at a path such as `.status.conditions[?(@.type=="Ready")].status`. A path that is none finds nothing. */
export const compileJsonPath = (path: string): ((object: unknown) => readonly unknown[]) => {
  const steps = parseSteps(path.startsWith('.') || path.startsWith('[') ? path : `.${path}`)
  return steps ? object => run(steps, object) : () => []
}
