/** Pages as people read them: tables of fixed columns, and explanations in sentences. */
import type { ClusterFacts } from './cluster-facts.ts'
import type { Explanation, Report } from './explain.ts'

/** Columns as wide as their widest cell; numbers to the right. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const cells = [head, ...rows].map(row => row.map(String))
  const widths = head.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const isNumber = head.map((_, column) => rows.every(row => typeof row[column] === 'number'))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return `${cells.map(line).join('\n')}\n`
}

/** `12 s`, `3 min`, `5 h`, `2 d`: for people. */
export const roughDuration = (milliseconds: number): string => {
  const seconds = milliseconds / 1000
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

const list = (label: string, lines: readonly string[]): string[] =>
  lines.map((line, index) => `${(index === 0 ? label : '').padEnd(10)} ${line}`)

const fieldText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const clusterLines = ({ zone, form, synced, objects }: ClusterFacts): string[] => [
  ...list('cluster', [
    `zone ${zone}, ${form === 'nowhere' ? 'no known form' : `the name of a ${form}`}${synced ? '' : ', not synced yet'}`,
  ]),
  ...list(
    'objects',
    objects.map(
      ({ kind, namespace, name, resourceVersion, detail }) =>
        `${kind} ${namespace}/${name} (resourceVersion ${resourceVersion || '?'}): ${detail}`,
    ),
  ),
]

const explanationText = (explained: Explanation): string => {
  const { name, type, server, block, plugins, by, rcode, answers, authority, extendedErrors, steps, cluster } =
    explained
  const verdict = rcode === '' ? 'no reply' : `${rcode}${by === '' ? '' : ` by ${by}`}`
  const lines = [
    `${name} ${type}: ${verdict}, ${explained.duration.toFixed(1)} ms`,
    '',
    ...(explained.cause === '' ? [] : list('why', [explained.cause])),
    ...list('next', explained.next),
    ...list('answer', answers),
    ...(answers.length === 0 ? list('authority', authority) : []),
    ...list('block', [block ? `${block.zones.join(' ')} on ${server}${block.view && `, view ${block.view}`}` : 'none']),
    ...list('plugins', plugins.length > 0 ? [plugins.join(' → ')] : []),
    ...(cluster ? clusterLines(cluster) : []),
    ...list(
      'steps',
      steps.map(({ who, what, fields, at }) => {
        const told = Object.entries(fields).map(([key, value]) => `${key} ${fieldText(value)}`)
        return `${at.toFixed(1)} ms  ${who}: ${what}${told.length > 0 ? ` (${told.join(', ')})` : ''}`
      }),
    ),
    ...list(
      'EDE',
      extendedErrors.map(({ code, text }) => `${code} ${text}`),
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** The candidate that people ask about: the one that ended the search, or the first that says what was meant. */
const chooseCandidate = (candidates: readonly Explanation[]): Explanation => {
  const last = candidates.at(-1)!
  if (last.cause === '') return last
  const existing = candidates.find(({ rcode }) => rcode === 'NOERROR')
  return existing ?? candidates.find(({ cause }) => cause.includes('did you mean')) ?? candidates[0]!
}

export const reportText = ({ client, search, candidates }: Report): string => {
  const who = client.namespace === '' ? '' : ` (pod ${client.namespace}/${client.pod})`
  const chosen = chooseCandidate(candidates)
  if (!search) return explanationText(chosen)
  return [
    `client ${client.address}${who}, search list ${search.join(' ')}, ndots 5`,
    '',
    table(
      ['candidate', 'rcode', 'answers', 'why'],
      candidates.map(({ name, rcode, answers, cause }) => [name, rcode || 'no reply', answers.length, cause]),
    ),
    explanationText(chosen),
  ].join('\n')
}
