/** A watch event as a line of JSON. */

const CLOSE = Buffer.from('}\n')

export const jsonFrame = (type: string, object: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, CLOSE])
