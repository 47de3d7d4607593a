/**
 * The addresses that `bind` directives name: IP addresses, or interfaces by name. They are needed before the block's
 * plugins are set up (they are told their listeners), so this is not the plugin's own business.
 */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { accepted, type Result } from '#lib/result.ts'
import { DirectiveReader, type PropertyTable } from './directive-reader.ts'
import { suggestion } from './nearest.ts'
import type { CorefileProblem, Directive, Word } from './syntax.ts'

export const bindOptions = {
  except: {
    kind: 'words',
    syntax: 'ADDRESS|INTERFACE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'addresses, or interfaces with theirs, that are left out',
  },
} as const satisfies PropertyTable

/** The addresses of a block's `bind` directives, without repetition; none where there is no such directive. */
export const bindAddresses = (directives: readonly Directive[]): Result<readonly string[], CorefileProblem> => {
  const addresses = new Set<string>()
  for (const directive of directives) {
    const reader = new DirectiveReader(directive)
    const { except } = reader.properties(bindOptions)
    if (directive.arguments.length === 0) reader.refuse(directive.name, 'needs an address or an interface')
    const wanted = directive.arguments.flatMap(word => addressesOf(reader, word))
    const left = new Set(except.flatMap(property => property.arguments.flatMap(word => addressesOf(reader, word))))
    const kept = wanted.filter(address => !left.has(address))
    if (kept.length === 0) reader.refuse(directive.name, 'no address is left to listen on')
    const read = reader.finish(() => kept)
    if (!read.ok) return read
    for (const address of kept) addresses.add(address)
  }
  return accepted([...addresses])
}

const addressesOf = (reader: DirectiveReader, word: Word): string[] => {
  const text = word.text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(text.replace(/%.*$/, '')) !== 0) return [text]
  // RFC 6761 §6.3: the one host name whose address needs nobody to be asked.
  if (text.toLowerCase() === 'localhost') return ['127.0.0.1']
  const interfaces = networkInterfaces()
  const found = interfaces[text]
  if (!found) {
    const hint = suggestion(text, Object.keys(interfaces))
    reader.refuse(word, `"${text}" is neither an IP address nor an interface of this machine${hint}`)
    return []
  }
  return found.map(({ address, scopeid }) => (scopeid ? `${address}%${text}` : address))
}
