import { parseDocument } from 'yaml'

/**
 * What a text of YAML or JSON says. Warnings are nobody's. @throws Error for whatever is wrong with it: the parser tells some
 * problems and throws others (nesting without end, aliases of nothing or of too much).
 */
export const yamlValue = (text: string): unknown => {
  const document = parseDocument(text, { logLevel: 'error' })
  if (document.errors[0]) throw document.errors[0]
  return document.toJS()
}
