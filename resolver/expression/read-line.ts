/** Expressions as they stand in a Corefile: the words of a line, joined by single blanks. */
import type { Result } from '#lib/result.ts'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import type { BlockContext } from '../plugin.ts'
import type { Expression } from './expression.ts'

/** Undefined: it was refused. `words`: those of the expression; `read`: makes it of their text. */
export const readExpressionLine = <Read extends Expression>(
  reader: DirectiveReader,
  { name, words }: { readonly name: Property['name']; readonly words: readonly Word[] },
  block: BlockContext,
  read: (text: string) => Result<Read, string>,
): Read | undefined => {
  const made = read(words.map(({ text }) => text).join(' '))
  if (!made.ok) {
    reader.refuse(words[0] ?? name, `${name.text}: ${made.problem}`)
    return undefined
  }
  if (made.value.calls.has('metadata') && !block.directives.some(({ name: { text } }) => text === 'metadata'))
    reader.refuse(words[0] ?? name, `${name.text}: metadata() needs a line "metadata" in the server block`)
  return made.value
}
