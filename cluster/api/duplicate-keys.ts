/**
 * Finds keys that stand twice in one JSON object, which `JSON.parse` cannot report. Text that is not JSON is not looked
 * into: parse first. Also measures depth, so that a body of brackets is refused before anything recurses over it.
 */

export interface KeyScan {
  /** Paths of repeated keys in order of appearance, each once: `spec.ports`, `spec.ports[0].name`. */
  readonly duplicates: readonly string[]
  /** Greatest number of objects and arrays around a value. */
  readonly depth: number
}

/** An object or array that is open where the scanner stands. */
interface Frame {
  /** Keys so far; an array has none. */
  readonly keys: Set<string> | undefined
  key: string
  index: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Index of the quote that ends the string which starts at `start` (the opening quote). */
const endOfString = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1)
  while (text.charCodeAt(end - 1) === BACKSLASH) {
    let slashes = 1
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) break
    end = text.indexOf('"', end + 1)
  }
  return end
}

const stringAt = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? String(JSON.parse(text.slice(start, end + 1))) : raw
}

class KeyScanner {
  readonly duplicates = new Set<string>()
  depth = 0
  readonly #frames: Frame[] = []
  #top: Frame | undefined

  open(isObject: boolean): void {
    this.#top = { keys: isObject ? new Set() : undefined, key: '', index: 0 }
    this.#frames.push(this.#top)
    this.depth = Math.max(this.depth, this.#frames.length)
  }

  close(): void {
    this.#frames.pop()
    this.#top = this.#frames.at(-1)
  }

  comma(): void {
    if (this.#top) this.#top.index++
  }

  /** The string before a colon. */
  key(key: string): void {
    const top = this.#top
    if (!top?.keys) return
    top.key = key
    if (top.keys.has(key)) this.duplicates.add(this.#path())
    top.keys.add(key)
  }

  #path(): string {
    let path = ''
    for (const frame of this.#frames) {
      if (!frame.keys) path += `[${frame.index}]`
      else path += path === '' ? frame.key : `.${frame.key}`
    }
    return path
  }
}

/** Members of all objects in a value that JSON.parse gave: one for each key, however often the text has it. */
const countMembers = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item)
    return count
  }
  for (const key in value) count += 1 + countMembers((value as Record<string, unknown>)[key])
  return count
}

interface Count {
  readonly keys: number
  readonly depth: number
}

const count = (text: string): Count => {
  let keys = 0
  let open = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case COLON:
        keys++
        break
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        open++
        if (open > depth) depth = open
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open--
        break
      default:
    }
  }
  return { keys, depth }
}

/** `text` must be valid JSON. */
const scanKeys = (text: string): KeyScan => {
  const scanner = new KeyScanner()
  let stringStart = 0
  let stringEnd = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        stringStart = at
        at = stringEnd = endOfString(text, at)
        break
      case COLON:
        scanner.key(stringAt(text, stringStart, stringEnd))
        break
      case COMMA:
        scanner.comma()
        break
      case OPEN_OBJECT:
        scanner.open(true)
        break
      case OPEN_ARRAY:
        scanner.open(false)
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        scanner.close()
        break
      default:
    }
  }
  return { duplicates: [...scanner.duplicates], depth: scanner.depth }
}

/** `text`: JSON, of which JSON.parse made `value`. Nearly all has as many keys as members, and is not looked into further. */
export const findDuplicates = (text: string, value: unknown, maxDepth: number): KeyScan => {
  const { keys, depth } = count(text)
  if (depth > maxDepth || keys === countMembers(value)) return { duplicates: [], depth }
  return scanKeys(text)
}
