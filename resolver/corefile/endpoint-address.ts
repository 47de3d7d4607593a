/** Where a plugin's HTTP endpoint listens: what a flag says, else the directive's word, else the default. */
import { parseAddress, type SocketAddress } from '#lib/address.ts'
import type { DirectiveReader } from './directive-reader.ts'
import type { Directive } from './syntax.ts'

export interface AddressChoice {
  readonly reader: DirectiveReader
  readonly directive: Directive
  /** The value of the flag, if it was given. */
  readonly override: string | undefined
  /** Used when nothing is said: `:8080`. */
  readonly otherwise: string
}

export const chooseAddress = ({ reader, directive, override, otherwise }: AddressChoice): SocketAddress => {
  reader.limitArguments(1)
  const [word] = directive.arguments
  const written = word ? parseAddress(word.text) : undefined
  if (word && written && !written.ok) reader.refuse(word, written.problem)
  if (override === undefined && written?.ok) return written.value
  const address = parseAddress(override ?? otherwise)
  if (address.ok) return address.value
  reader.refuse(directive.name, address.problem)
  return { host: '', port: 0 }
}
