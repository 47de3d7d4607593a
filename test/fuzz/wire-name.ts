/** RFC 1035 §2.3.4. */
const MOST_LABEL = 63
const MOST_NAME = 255

/** Labels of any bytes, with dots between; the longest name that they make, as it stands on the wire. */
export const wireOf = (bytes: Buffer): Buffer => {
  const parts: Buffer[] = []
  let length = 1
  for (const label of bytes.toString('latin1').split('.')) {
    const cut = Buffer.from(label.slice(0, MOST_LABEL), 'latin1')
    if (cut.length === 0 || length + cut.length + 1 > MOST_NAME) continue
    parts.push(Buffer.of(cut.length), cut)
    length += cut.length + 1
  }
  return Buffer.concat([...parts, Buffer.of(0)])
}
