import { parseAddress, type SocketAddress } from '#lib/address.ts'
import { SeamarkError } from '#lib/errors.ts'

/** The address that a flag gives. @throws SeamarkError BAD_OPTION that names the flag */
export const addressOfFlag = (text: string, flag: string): SocketAddress => {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new SeamarkError('BAD_OPTION', `${flag}: ${parsed.problem}`)
  return parsed.value
}
