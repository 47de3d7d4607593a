/**
 * Master files (RFC 1035 §5, RFC 2308 §4 for $TTL, RFC 3597 §5 for unknown types; $GENERATE as BIND has it).
 *
 * Promised: the first thing that is wrong is told with its file and line. A long file does not hold up queries: reading
 * lets others have their turn. Not promised: that the records make a zone; `authority/zone-builder.ts` sees to that.
 */
import { dirname, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { suggestion } from '../corefile/nearest.ts'
import { makeWord, readDomainName, splitWords, type Word } from '../wire/presentation-fields.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { parseRange, substitute } from './generate.ts'
import { type Entry, readEntries } from './lexer.ts'
import { type ReadingState, readRecord, readTtl } from './record-line.ts'

export interface ZoneFileProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

export const formatZoneFileProblem = ({ file, line, message }: ZoneFileProblem): string => `${file}:${line}: ${message}`

export interface ZoneFileReading {
  readonly file: string
  /** What names without a final dot are below, until the file's $ORIGIN says otherwise. */
  readonly origin: DnsName
  /** The text of a file: of `file`, and of those that it includes. A throw becomes a problem. */
  readonly readFile: (path: string) => Promise<string>
  /** Takes a record; a problem in words ends the reading. */
  readonly add: (record: ResourceRecord) => Result<unknown, string>
}

/** Files inside files. */
const DEEPEST = 8
/** Records between two pauses: 1 to 2 ms. */
const STRIDE = 100

/** How one file is read: from where it was included, and in what state. */
interface OpenFile {
  readonly path: string
  /** The files that led here, this one last. */
  readonly trail: readonly string[]
  readonly state: ReadingState
}

/** Reads a zone file with all that it includes. */
export const readZoneFile = (reading: ZoneFileReading): Promise<Result<void, ZoneFileProblem>> =>
  new Reader(reading).read()

class Reader {
  readonly #reading: ZoneFileReading
  #sincePause = 0

  constructor(reading: ZoneFileReading) {
    this.#reading = reading
  }

  async read(): Promise<Result<void, ZoneFileProblem>> {
    const { file, origin } = this.#reading
    const state: ReadingState = { origin, owner: undefined, defaultTtl: undefined, lastTtl: undefined }
    const text = await this.#textOf(file)
    if (!text.ok) return refused({ file, line: 1, message: text.problem })
    return this.#readText(text.value, { path: file, trail: [resolve(file)], state })
  }

  async #textOf(path: string): Promise<Result<string, string>> {
    try {
      return accepted(await this.#reading.readFile(path))
    } catch (error) {
      return refused(`"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #readText(text: string, file: OpenFile): Promise<Result<void, ZoneFileProblem>> {
    const entries = readEntries(text)
    for (;;) {
      const { value, done } = entries.next()
      if (done) return value ? refused({ file: file.path, ...value }) : accepted(undefined)
      const { words, line } = value
      const result =
        value.hasOwner && words[0]?.text.startsWith('$') ? await this.#direct(value, file) : this.#add(value, file)
      if (!result.ok)
        return refused(
          typeof result.problem === 'string' ? { file: file.path, line, message: result.problem } : result.problem,
        )
      if (++this.#sincePause >= STRIDE) {
        this.#sincePause = 0
        await setImmediate()
      }
    }
  }

  #add({ words, hasOwner }: Pick<Entry, 'words' | 'hasOwner'>, { state }: OpenFile): Result<unknown, string> {
    const record = readRecord(words, hasOwner, state)
    return record.ok ? this.#reading.add(record.value) : record
  }

  #direct({ words }: Entry, file: OpenFile): MaybePromise<Directed> {
    const [directive, ...rest] = words
    const name = directive!.text.toUpperCase()
    if (!Object.hasOwn(wordCounts, name))
      return refused(`"${directive!.text}" is not a directive${suggestion(name, Object.keys(wordCounts))}`)
    const [least, most, form] = wordCounts[name as DirectiveName]
    if (rest.length < least || rest.length > most) return refused(`${name} is written ${name} ${form}`)
    const [first, second] = rest
    switch (name as DirectiveName) {
      case '$ORIGIN':
        return keep(readDomainName(first!.text, file.state.origin), origin => void (file.state.origin = origin))
      case '$TTL':
        return keep(readTtl(first!.text), ttl => void (file.state.defaultTtl = ttl))
      case '$INCLUDE':
        return this.#include(first!, second, file)
      case '$GENERATE':
        return this.#generate(first!, rest.slice(1), file)
    }
  }

  /** RFC 1035 §5.1: the file's origin is its own; that of the file around it stays as it was. So do owner and TTL. */
  async #include(target: Word, originWord: Word | undefined, file: OpenFile): Promise<Directed> {
    const origin = originWord ? readDomainName(originWord.text, file.state.origin) : accepted(file.state.origin)
    if (!origin.ok) return origin
    const name = target.bytes.toString()
    const path = resolve(dirname(file.path), name)
    if (file.trail.includes(path)) return refused(`"${name}" includes itself`)
    if (file.trail.length >= DEEPEST) return refused(`"${name}" is included by ${DEEPEST} files, one in the other`)
    const text = await this.#textOf(path)
    if (!text.ok) return text
    const state: ReadingState = { ...file.state, origin: origin.value }
    return this.#readText(text.value, { path, trail: [...file.trail, path], state })
  }

  async #generate(rangeWord: Word, template: readonly Word[], file: OpenFile): Promise<Directed> {
    const range = parseRange(rangeWord.text)
    if (!range.ok) return range
    const { start, stop, step } = range.value
    for (let number = start; number <= stop; number += step) {
      const words = fill(template, number)
      if (!words.ok) return words
      const added = this.#add({ words: words.value, hasOwner: true }, file)
      if (!added.ok) return added
      if (number % STRIDE === 0) await setImmediate()
    }
    return accepted(undefined)
  }
}

/** A problem of another file has its place already. */
type Directed = Result<unknown, string | ZoneFileProblem>

/** Words that belong after each directive, and how they are written. */
const wordCounts = {
  $ORIGIN: [1, 1, 'NAME'],
  $TTL: [1, 1, 'TTL'],
  $INCLUDE: [1, 2, 'FILE [ORIGIN]'],
  $GENERATE: [4, Number.POSITIVE_INFINITY, 'START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA'],
} as const

type DirectiveName = keyof typeof wordCounts

const keep = <Value>(result: Result<Value, string>, set: (value: Value) => void): Result<unknown, string> => {
  if (result.ok) set(result.value)
  return result
}

/** The template's words for a number. Data in one pair of quotes is data of several words (`"10 mx$"`). */
const fill = (template: readonly Word[], number: number): Result<Word[], string> => {
  const words: Word[] = []
  for (const [index, word] of template.entries()) {
    const text = substitute(word.text, number)
    if (!text.ok) return text
    if (word.quoted && index === template.length - 1) words.push(...splitWords(text.value))
    else words.push(makeWord(text.value, word.quoted))
  }
  return accepted(words)
}
