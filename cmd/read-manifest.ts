import { SeamarkError } from '#lib/errors.ts'
import { readText } from './read-text.ts'

/** What a file of YAML or JSON holds (`-`: standard input). @throws SeamarkError BAD_OPTION that names the file */
export const readManifest = async (path: string): Promise<unknown> => {
  const { parseDocument } = await import('yaml')
  const text = readText(path)
  try {
    const document = parseDocument(text, { logLevel: 'error' })
    if (document.errors[0]) throw document.errors[0]
    return document.toJS()
  } catch (cause) {
    // Nesting without end and aliases of nothing or of too much are thrown, other errors told.
    throw new SeamarkError('BAD_OPTION', `${path}: ${(cause as Error).message}`, { cause })
  }
}
