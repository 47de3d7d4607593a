import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const findRoot = (folder: string): string => {
  if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'configs'))) return folder
  return findRoot(dirname(folder))
}

/** The folder of package.json: the checkout's, or the installed package's (whose files lie in dist). */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

export const packageVersion: string = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version
