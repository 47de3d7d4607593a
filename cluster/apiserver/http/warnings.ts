/** Warnings for clients (RFC 7234 §5.5, as Kubernetes uses it): one header each. They may quote what clients sent. */

/** Characters of all warnings together, as kube-apiserver's: clients take only so much before an answer. */
const MAX_ALL = 4096
/** Characters of each, where together they are more. */
const MAX_EACH = 256

const bounded = (warnings: readonly string[]): string[] => {
  let room = MAX_ALL
  if (warnings.reduce((sum, { length }) => sum + length, 0) <= room) return [...warnings]
  return warnings
    .map(text => text.slice(0, MAX_EACH))
    .filter(({ length }) => {
      room -= length
      return room >= 0
    })
}

/** As UTF-8, of which a header takes the bytes; it takes no control characters. */
const quoted = (text: string): string => Buffer.from(JSON.stringify(text.replace(/\p{Cc}/gu, ' '))).toString('latin1')

export const warningHeaders = (warnings: Iterable<string>): Record<string, string[]> => {
  const warning = bounded([...warnings]).map(text => `299 - ${quoted(text)}`)
  return warning.length > 0 ? { warning } : {}
}
