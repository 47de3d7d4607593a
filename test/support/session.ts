/**
 * Sessions at a terminal, written as Markdown: what is typed and what it prints. Each `##` heading is a test; a block
 * whose language is followed by a name is a file in the working folder; a `console` block holds commands (`$ `), lines
 * that belong to them (`> `), their output, standard error among it, and `[N]` where the exit code is not 0.
 *
 * What differs from run to run stands as a word in angle brackets (WORDS below). A line `...` is any number of lines.
 * Columns may move: runs of blanks inside a line are one.
 */
import { spawn } from 'node:child_process'

export interface Command {
  readonly text: string
  /** Output, then `[N]`. */
  readonly expected: readonly string[]
  /** Lines of the page: the first of what is expected, and the first after it. */
  readonly place: readonly [start: number, end: number]
}

export interface Section {
  readonly title: string
  readonly files: readonly (readonly [name: string, text: string])[]
  readonly commands: readonly Command[]
}

const WORDS: Readonly<Record<string, string>> = {
  '<age>': String.raw`(?:\d+[smhdy]){1,2}`,
  '<time>': String.raw`(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000)`,
  '<date>': String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC`,
  '<uid>': '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  '<number>': String.raw`\d+`,
  '<ip>': String.raw`\d+\.\d+\.\d+\.\d+`,
  '<word>': String.raw`\S+`,
  '<text>': '.*',
}

const ANY_LINES = '...'

/** Reads the commands of a console block whose first line has the number `first`. */
const readCommands = (lines: readonly string[], first: number): Command[] => {
  const commands: Command[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!
    if (!line.startsWith('$ ')) throw new Error(`line ${first + at + 1}: a command was expected: ${line}`)
    const typed = [line.slice(2)]
    for (at++; lines[at]?.startsWith('> '); at++) typed.push(lines[at]!.slice(2))
    const start = at
    while (at < lines.length && !lines[at]!.startsWith('$ ')) at++
    commands.push({ text: typed.join('\n'), expected: lines.slice(start, at), place: [first + start, first + at] })
  }
  return commands
}

/** Throws where a page is not of this form. */
export const readSections = (page: string): readonly Section[] => {
  const lines = page.split('\n')
  const sections: { title: string; files: [string, string][]; commands: Command[] }[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line.startsWith('## ')) sections.push({ title: line.slice(3), files: [], commands: [] })
    const fence = /^```(\w+) ?(\S*)$/.exec(line)
    if (!fence) continue
    const end = lines.indexOf('```', at)
    const section = sections.at(-1)
    if (end < 0 || !section) throw new Error(`line ${at + 1}: a block without an end or a heading`)
    const inside = lines.slice(at + 1, end)
    if (fence[1] === 'console') section.commands.push(...readCommands(inside, at + 1))
    else section.files.push([fence[2]!, `${inside.join('\n')}\n`])
    at = end
  }
  return sections
}

/** Lines without what columns move, and without the blanks at their ends. */
const squeezed = (line: string): string => {
  const indent = /^ */.exec(line)![0]
  return indent + line.slice(indent.length).replace(/\s+/g, ' ').trimEnd()
}

const patternOf = (line: string): RegExp => {
  const parts = squeezed(line).split(/(<\w+>)/)
  const source = parts.map(part => WORDS[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${source.join('')}$`)
}

const matchesFrom = (actual: readonly string[], expected: readonly string[]): boolean => {
  const [line, ...rest] = expected
  if (line === undefined) return actual.length === 0
  if (line === ANY_LINES) {
    for (let skip = 0; skip <= actual.length; skip++) if (matchesFrom(actual.slice(skip), rest)) return true
    return false
  }
  return actual.length > 0 && patternOf(line).test(squeezed(actual[0]!)) && matchesFrom(actual.slice(1), rest)
}

export const matches = (actual: readonly string[], { expected }: Command): boolean => matchesFrom(actual, expected)

/** What was printed, as a page would have it: for the eyes of those who compare, and for new pages. */
export const told = (actual: readonly string[], { expected }: Command): readonly string[] => {
  const isTable = / AGE\b/.test(actual[0] ?? '')
  return actual.map((line, index) => {
    const wanted = expected[index]
    if (wanted !== undefined && wanted !== ANY_LINES && patternOf(wanted).test(squeezed(line))) return wanted
    const timeless = line
      .replace(new RegExp(`\\b${WORDS['<uid>']}\\b`, 'g'), '<uid>')
      .replace(new RegExp(WORDS['<time>']!, 'g'), '<time>')
      .replace(/(resource ?version: +"?)\d+/i, '$1<number>')
      .trimEnd()
    return isTable ? timeless.replace(new RegExp(`(?<=\\s)${WORDS['<age>']}(?=\\s|$)`, 'g'), '<age>') : timeless
  })
}

/** What kubectl adds when the machine stood still for a second while it looked whether it may send a request. */
const SLOW_MACHINE = /^I\d{4} .* request\.go:\d+\] "Waited before sending request"/

/** Milliseconds: no command takes longer; one that does is ended. */
const DEADLINE = 90_000

export interface Terminal {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

/** Resolves with the lines that the command prints, in their order, and `[N]` where it fails. */
export const type = (text: string, { folder, environment }: Terminal): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `exec 2>&1\n${text}`], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: DEADLINE,
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const printed = output === '' ? [] : output.replace(/\n$/, '').split('\n')
      const lines = printed.filter(line => !SLOW_MACHINE.test(line))
      resolve(code === 0 ? lines : [...lines, `[${code ?? signal}]`])
    })
  })
