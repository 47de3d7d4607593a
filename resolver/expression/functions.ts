/** All functions of expressions, by name. */
import type { ExpressionFunction, Functions } from './function.ts'
import { listFunctions } from './list-functions.ts'
import { inNetwork } from './network.ts'
import { numberFunctions } from './number-functions.ts'
import { messageFunctions, questionFunctions } from './question-functions.ts'
import { textFunctions } from './text-functions.ts'
import type { TypedString } from './typed.ts'

const incidr: ExpressionFunction = {
  parameters: ['IP', 'CIDR'],
  make: (place, [ip, cidr]) => inNetwork(place, ip as TypedString, cidr as TypedString),
}

export const expressionFunctions: Functions = new Map([
  ...questionFunctions,
  ...messageFunctions,
  ...textFunctions,
  ...numberFunctions,
  ...listFunctions,
  ['incidr', incidr],
])
