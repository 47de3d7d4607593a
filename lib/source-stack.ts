/**
 * Stacks of compiled files (the npm package) as lines of the sources that they were made of. Node does so by itself with
 * --enable-source-maps, and then reads every map at the start (60 ms); here a map is read when an error is to be told.
 */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'

const maps = new Map<string, SourceMap | undefined>()

/** Never throws; what has no map stays as it is. */
export const sourceStack = (stack: string): string =>
  stack.replaceAll(/file:\/\/([^\s():]+\.js):(\d+):(\d+)/g, (place, file: string, line: string, column: string) => {
    const origin = mapOf(file)?.findOrigin(Number(line), Number(column))
    if (!origin || !('fileName' in origin)) return place
    return `${new URL(origin.fileName, `file://${file}`)}:${origin.lineNumber}:${origin.columnNumber}`
  })

const mapOf = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) maps.set(file, readMap(`${decodeURI(file)}.map`))
  return maps.get(file)
}

const readMap = (file: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
