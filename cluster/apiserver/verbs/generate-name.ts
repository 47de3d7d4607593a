/** Names made from metadata.generateName, as Kubernetes makes them: five characters that spell no words. */
import type { Random } from '#lib/random.ts'

/** No vowels, no digits that look like letters. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
/** A generated name is at most a DNS label long. */
const MAX_PREFIX_LENGTH = 63 - SUFFIX_LENGTH

export const generateName = (prefix: string, random: Random): string => {
  let name = prefix.slice(0, MAX_PREFIX_LENGTH)
  for (let index = 0; index < SUFFIX_LENGTH; index++) name += ALPHABET[random.integer(ALPHABET.length)]
  return name
}
