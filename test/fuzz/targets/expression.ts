/**
 * Expressions and what clients ask of them: the last line is the name that is asked for, label by label, the others are the
 * expression. It is one, with a value of the type that it was read with or none, or it has a problem, with its place.
 */
import assert from 'node:assert'
import { MAXIMUM_LENGTH, readExpression } from '#resolver/expression/expression.ts'
import { expressionFunctions } from '#resolver/expression/functions.ts'
import { predicateFunctions } from '#resolver/expression/predicates.ts'
import { readName } from '#resolver/wire/name.ts'
import { makeQuery } from '../../support/dns-environment.ts'
import { mutated } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'
import { wireOf } from '../wire-name.ts'

const words = [
  ...[...expressionFunctions.keys()].map(name => `${name}(`),
  ...[...predicateFunctions.keys()].map(name => `${name}(split(name(), '.'), `),
  ...[
    'name()',
    "split(name(), '.')",
    "'a'",
    "'(a+)+$'",
    "'192.0.2.0/24'",
    '`\\`',
    '1',
    '0x7fffffffffffff',
    '2.5',
    '-1',
    '[]',
  ],
  ...['(', ')', '[', ']', '{', '}', ',', ':', '?', '#', '|', '!', '&&', '||', '==', '<', '+', '-', '*', '/', '%', '**'],
  ...[
    ' in ',
    ' not in ',
    ' matches ',
    ' contains ',
    ' startsWith ',
    ' not ',
    ' and ',
    ' or ',
    'true',
    'nil',
    "'",
    '\\',
    '\n',
  ],
].map(text => Buffer.from(text))

const metadata = () => new Map([['a/b', 'c']])

const typeOf = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value)

export const expressionTarget: FuzzTarget = {
  name: 'expression',
  seedForm: 'text',
  words,
  mutate: (numbers, input) => mutated(numbers, input, words),
  run(input) {
    const line = input.lastIndexOf(0x0a)
    const { name } = readName(wireOf(input.subarray(line + 1)), 0)!
    const text = input.toString('utf8', 0, Math.max(0, line))
    const read = readExpression(text)
    if (!read.ok) return assert(/^column \d+/.test(read.problem) || text.length > MAXIMUM_LENGTH, read.problem)
    const value = read.value.evaluate({ query: makeQuery(name), metadata })
    if (value.ok) assert.equal(typeOf(value.value), read.value.typed.type)
    else assert(value.problem !== '')
  },
}
