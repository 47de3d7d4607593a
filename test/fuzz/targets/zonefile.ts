/** Zone files (RFC 1035 §5): records, or what is wrong and where; records that are read come out as they went in. */
import assert from 'node:assert'
import { accepted } from '#lib/result.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { readZoneFile } from '#resolver/zonefile/zone-file.ts'
import { recordFromText } from '../../support/record-from-text.ts'
import { mutated } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const words = [
  ...[
    '$TTL ',
    '$ORIGIN ',
    '$INCLUDE other ',
    '$GENERATE ',
    '$GENERATE 0-99999 $ A 192.0.2.1',
    '\n',
    '(',
    ')',
    ';',
    '"',
    '\\',
  ],
  ...[
    '@',
    '.',
    ' IN ',
    ' CH ',
    ' ANY ',
    '\\000',
    '\\256',
    '\\.',
    '1w2d3h4m5s',
    '4294967296',
    '-1',
    '\\# 4 00',
    '\\# 0',
    ' ',
  ],
  ...[
    ' A ',
    ' AAAA ',
    ' SOA ',
    ' TXT ',
    ' SRV ',
    ' NSEC ',
    ' NSEC3 ',
    ' RRSIG ',
    ' DS ',
    ' CAA ',
    ' SVCB ',
    ' TLSA ',
    ' TYPE1 ',
  ],
  ...['$', '{1,3,x}', '{-1,99999999,d}', 'a'.repeat(64), `${'a.'.repeat(130)}`, '\u0000', 'ü', '\t', '\r\n', '\ufeff'],
].map(text => Buffer.from(text))

/** The most that `$GENERATE` may make of one input before it is stopped. */
const MOST = 2000

export const zonefileTarget: FuzzTarget = {
  name: 'zonefile',
  seedForm: 'text',
  words,
  mutate: (numbers, input) => mutated(numbers, input, words),
  async run(input) {
    const text = input.toString('utf8')
    const records: ResourceRecord[] = []
    const read = await readZoneFile({
      file: 'zone',
      origin: 'example.',
      readFile: async path => {
        if (path !== 'zone') throw new Error('no such file')
        return text
      },
      add: record => (records.push(record) < MOST ? accepted(undefined) : { ok: false, problem: 'enough' }),
    })
    if (!read.ok) {
      const { line, message } = read.problem
      assert(line >= 1 && line <= text.split('\n').length, `line ${line}`)
      assert(message !== '' && !message.includes('[object'), message)
    }
    for (const record of records) {
      const again = recordFromText(recordToText(record))
      assert(again.ok, again.ok ? '' : `${recordToText(record)}: ${again.problem}`)
      assert.deepEqual(again.value, record)
    }
  },
}
