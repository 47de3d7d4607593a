/**
 * The JSON form of DNS over HTTPS, as public resolvers serve it: no RFC has it, the parameters and members are Google's
 * and Cloudflare's. Questions here.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { parseType, recordTypes } from '#resolver/wire/codes.ts'
import { OWN_UDP_SIZE } from '#resolver/wire/edns.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { parseName } from '#resolver/wire/name.ts'

/** `name=`, `type=` (a number or a name; A), `do=`, `cd=` (`1`, `true`, `0`, `false`; 0). Others are passed over. */
export const readJsonQuestion = (parameters: URLSearchParams): Result<Buffer, string> => {
  const text = parameters.get('name')
  if (!text) return refused('neither dns= (a message) nor name= (a question)')
  const name = parseName(text)
  if (!name.ok) return refused(`name=: ${name.problem}`)
  const type = readType(parameters.get('type'))
  if (type === undefined) return refused('type= is not a type of record')
  const checkingDisabled = readFlag(parameters.get('cd'))
  const dnssecOk = readFlag(parameters.get('do'))
  if (checkingDisabled === undefined || dnssecOk === undefined) return refused('do= and cd= are 1 or 0')
  return accepted(
    encodeQuery({
      // RFC 8484 §4.1: the same question is the same bytes.
      id: 0,
      name: name.value,
      type,
      recursionDesired: true,
      authenticData: true,
      checkingDisabled,
      edns: { udpSize: OWN_UDP_SIZE, dnssecOk, options: [] },
    }),
  )
}

const readType = (text: string | null): number | undefined => {
  if (text === null) return recordTypes.A
  if (!/^\d+$/.test(text)) return parseType(text)
  const type = Number(text)
  return type <= 0xffff ? type : undefined
}

const readFlag = (text: string | null): boolean | undefined => {
  if (text === null || text === '0' || text === 'false') return false
  return text === '1' || text === 'true' ? true : undefined
}
