/** Whether values that were read from a file have the shape of a model. */
export type IsShaped = (value: unknown) => boolean

/**
 * The types and the keys of `model` (more are none of ours); for a list that of the model's first element for each of
 * theirs. Made once for a model: a start checks ten thousands of objects.
 */
export const shapeOf = (model: unknown): IsShaped => {
  if (typeof model !== 'object' || model === null) return value => typeof value === typeof model
  if (Array.isArray(model)) {
    const isElement = model.length === 0 ? () => true : shapeOf(model[0])
    return value => Array.isArray(value) && value.every(isElement)
  }
  const parts = Object.entries(model).map(([key, part]) => [key, shapeOf(part)] as const)
  return value =>
    typeof value === 'object' &&
    value !== null &&
    parts.every(([key, isPart]) => isPart((value as Record<string, unknown>)[key]))
}
