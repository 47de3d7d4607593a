import { writeSipHash } from '#resolver/wire/siphash.ts'

/** The hash of a whole message, apart from it. */
export const sipHash = (key: Buffer, message: Buffer): Buffer => {
  const hash = Buffer.alloc(8)
  writeSipHash(key, Buffer.concat([message, Buffer.alloc(8)]), message.length, hash, 0)
  return hash
}
