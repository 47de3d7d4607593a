/** A template with its values put in. */
import type { Operand, Pipeline, Template } from './parse.ts'
import { isTrue, show, TemplateError, templateFunctions, type Value } from './value.ts'

/** Throws a `TemplateError` where the values do not do. */
export const renderTemplate = (template: Template, data: ReadonlyMap<string, Value>): string => {
  let text = ''
  for (const node of template) {
    if (node.kind === 'text') text += node.text
    else if (node.kind === 'value') text += show(evaluate(node.pipeline, data))
    else {
      const taken = node.branches.find(({ condition }) => isTrue(evaluate(condition, data)))
      text += renderTemplate(taken?.body ?? node.otherwise, data)
    }
  }
  return text
}

const evaluate = (pipeline: Pipeline, data: ReadonlyMap<string, Value>): Value => {
  let value: Value
  for (const [index, [first, ...rest]] of pipeline.entries()) {
    const given = rest.map(operand => operandValue(operand, data))
    if (index > 0) given.push(value)
    const target = first.kind === 'function' ? templateFunctions.get(first.name) : operandValue(first, data)
    if (typeof target === 'function') value = target(...given)
    else if (given.length > 0) throw new TemplateError(`${show(target)} is no function`)
    else value = target
  }
  return value
}

const operandValue = (operand: Operand, data: ReadonlyMap<string, Value>): Value => {
  switch (operand.kind) {
    case 'constant':
      return operand.value
    case 'function':
      return templateFunctions.get(operand.name)!()
    case 'pipeline':
      return evaluate(operand.pipeline, data)
    case 'field':
      return operand.path.reduce<Value>((from, name) => {
        if (from instanceof Map) return from.get(name) as Value
        throw new TemplateError(`${show(from)} has no .${name}`)
      }, data)
  }
}
