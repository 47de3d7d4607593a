/** What every fuzz target is: something that takes bytes from strangers, with the laws that it must hold. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SeededNumbers } from '../support/malformed-packets.ts'

export interface FuzzTarget {
  /** Folder of its seeds in corpus/. */
  readonly name: string
  /** `hex`: bytes as hexadecimal digits; `text`: as they are. */
  readonly seedForm: 'hex' | 'text'
  /** Seeds beside those in its folder. */
  readonly seeds?: () => readonly Buffer[]
  /** Words that inputs of this kind are made of. */
  readonly words: readonly Buffer[]
  /** Changes that know the form of the input; undefined: bytes are changed blindly. */
  readonly mutate?: (numbers: SeededNumbers, input: Buffer, other: Buffer) => Buffer
  /** Gives the input to what is tested; throws where a law is broken. */
  readonly run: (input: Buffer) => void | Promise<void>
  readonly start?: () => Promise<void>
  readonly close?: () => Promise<void>
}

export const corpusFolder = join(import.meta.dirname, 'corpus')

export const readSeed = (target: FuzzTarget, path: string): Buffer =>
  target.seedForm === 'text'
    ? readFileSync(path)
    : Buffer.from(readFileSync(path, 'latin1').replaceAll(/\s/g, ''), 'hex')

export interface Seed {
  readonly name: string
  readonly input: Buffer
}

export const seedsOf = (target: FuzzTarget): readonly Seed[] => {
  const folder = join(corpusFolder, target.name)
  const files = existsSync(folder) ? readdirSync(folder).sort() : []
  return [
    ...files.map(name => ({ name, input: readSeed(target, join(folder, name)) })),
    ...(target.seeds?.() ?? []).map((input, index) => ({ name: `built in ${index}`, input })),
  ]
}
