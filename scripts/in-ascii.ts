/**
 * JavaScript with nothing beyond ASCII in it. Node keeps a text with one other character in twice the memory, and V8 reads it
 * more slowly.
 */
import assert from 'node:assert'
import { parseSync } from 'rolldown/utils'

const NOT_ASCII = /[^\0-\x7f]/

/**
 * The same program, with what is beyond ASCII escaped; comments must be gone. It does not escape what would mean another thing
 * then, it fails: texts that keep their escapes (`String.raw`), names beyond U+FFFF, a line that a `\` and U+2028 go on.
 */
export const inAscii = (code: string): string => {
  if (!NOT_ASCII.test(code)) return code
  // In a string and in a regular expression `\ü` is `ü`: without its backslash that would become another's, `\\u00fc`.
  const text = code.replaceAll(/(\\*)([^\0-\x7f])/g, (_, slashes: string, character: string) => {
    const escaped = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    return `${slashes.length % 2 === 0 ? slashes : slashes.slice(1)}${escaped}`
  })
  assert.deepEqual(textsOf(text), textsOf(code), 'written in ASCII, the program would be another one')
  return text
}

interface Part {
  readonly type?: string
  readonly name?: unknown
  readonly value?: unknown
  readonly regex?: { readonly pattern: string }
  readonly quasi?: { readonly quasis: readonly { readonly value: { readonly raw: string } }[] }
}

/** All texts of a program: names, strings, patterns, templates with what tags see of them. */
const textsOf = (code: string): readonly string[] => {
  const { program, errors } = parseSync('code.js', code)
  assert.deepEqual(errors, [])
  const texts: string[] = []
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return
    const { type, name, value, regex, quasi } = part as Part
    if (regex) return void texts.push(unescaped(regex.pattern))
    if (type === 'TemplateElement') return void texts.push((value as { cooked: string }).cooked)
    if (type === 'TaggedTemplateExpression') texts.push(...quasi!.quasis.map(({ value: { raw } }) => raw))
    for (const text of [name, value]) if (typeof text === 'string') texts.push(text)
    for (const inside of Object.values(part)) visit(inside)
  }
  visit(program)
  return texts
}

/** A pattern says the same by a character and by its escapes. */
const unescaped = (pattern: string): string =>
  pattern.replaceAll(/\\(?:u([0-9a-f]{4})|([^\0-\x7f])|[\0-\x7f])/g, (all, code?: string, character?: string) =>
    code === undefined ? (character ?? all) : String.fromCharCode(Number.parseInt(code, 16)),
  )
