import { SeamarkError } from '#lib/errors.ts'
import { readText } from './read-text.ts'

/** What a file of YAML or JSON holds (`-`: standard input). @throws SeamarkError BAD_OPTION that names the file */
export const readManifest = async (path: string): Promise<unknown> => {
  const { yamlValue } = await import('#lib/yaml-value.ts')
  const text = readText(path)
  try {
    return yamlValue(text)
  } catch (cause) {
    throw new SeamarkError('BAD_OPTION', `${path}: ${(cause as Error).message}`, { cause })
  }
}
