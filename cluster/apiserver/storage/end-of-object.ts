/** Where the object that begins at `start` of a JSON text ends: behind its last brace. The text is known to be JSON. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

const endOfString = (json: Uint8Array, start: number): number => {
  let at = start + 1
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}

export const endOfObject = (json: Uint8Array, start: number): number => {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfString(json, at)
    else if (byte === OPEN) depth++
    else if (byte === CLOSE && --depth === 0) return at + 1
  }
  return json.length
}
