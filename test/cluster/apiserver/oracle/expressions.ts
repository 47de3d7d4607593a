/** Expressions of CEL, right and wrong ones, over one object: rules of a custom resource. */
import { readFileSync } from 'node:fs'

// biome-ignore lint/suspicious/noExplicitAny: schemas and values of any shape.
type Json = any

const text = (maxLength: number, more: Json = {}): Json => ({ type: 'string', maxLength, ...more })
const integer: Json = { type: 'integer' }
const list = (items: Json, more: Json = {}): Json => ({ type: 'array', maxItems: 10, items, ...more })

const ENTRY = { type: 'object', required: ['k'], properties: { k: text(5), v: integer } }

/** What `self` is. */
export const PROPERTIES: Json = {
  i: integer,
  d: { type: 'number' },
  s: text(40),
  l: list(integer),
  ls: list(text(10)),
  m: { type: 'object', maxProperties: 10, additionalProperties: text(10) },
  o: { type: 'object', properties: { x: integer, y: text(5), z: text(5), n: list(ENTRY) } },
  b: { type: 'boolean' },
  dt: { type: 'string', format: 'date-time' },
  du: { type: 'string', format: 'duration' },
  by: text(40, { format: 'byte' }),
  ios: { 'x-kubernetes-int-or-string': true },
  set: list(text(5), { 'x-kubernetes-list-type': 'set' }),
  map: list(ENTRY, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }),
  en: { type: 'string', enum: ['A', 'B'] },
  dd: { type: 'string', format: 'date' },
}

export const VALUE: Json = {
  i: 5,
  d: 1.5,
  s: 'hello Wörld',
  l: [3, 1, 2],
  ls: ['b', 'a'],
  m: { a: 'x', b: 'y' },
  o: {
    x: 1,
    y: 'z',
    n: [
      { k: 'a', v: 1 },
      { k: 'b', v: 2 },
    ],
  },
  b: true,
  dt: '2024-02-29T12:30:15.5Z',
  du: '1h30m',
  by: 'aGVsbG8=',
  ios: '50%',
  set: ['p', 'q'],
  map: [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ],
  en: 'A',
  dd: '2024-01-02',
}

/** One a line. */
export const EXPRESSIONS: readonly string[] = readFileSync(new URL('./expressions.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line !== '')
