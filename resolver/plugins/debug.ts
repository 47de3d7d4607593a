/**
 * debug: for each query that failed, the steps that led there and the bytes of query and reply, in the form that
 * `text2pcap` reads.
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { TraceStep } from '../trace.ts'
import { rcodes, typeName } from '../wire/codes.ts'

export const debugPlugin: PluginModule = {
  name: 'debug',
  setup(directive, _block, { print }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    const tell = (text: string): void => print(`[DEBUG] plugin/debug: ${text}`)
    return reader.finish(
      (): Plugin => ({
        name: 'debug',
        wantsTrace: true,
        report({ question, packet, trace }, { answer, packet: reply }) {
          if (answer?.rcode !== rcodes.SERVFAIL) return
          tell(`${question.name} ${typeName(question.type)} failed`)
          for (const step of trace?.steps ?? []) tell(formatStep(step))
          for (const line of [...dump(packet), ...dump(reply ?? Buffer.alloc(0))]) print(line)
        },
      }),
    )
  },
}

const formatStep = ({ who, what, fields }: TraceStep): string =>
  Object.keys(fields).length === 0 ? `${who}: ${what}` : `${who}: ${what} ${JSON.stringify(fields)}`

const BYTES_PER_LINE = 16

/** `debug: 000000 12 67 01 …`: offset and bytes in hexadecimal. */
const dump = (bytes: Buffer): string[] =>
  Array.from({ length: Math.ceil(bytes.length / BYTES_PER_LINE) }, (_, index) => {
    const start = index * BYTES_PER_LINE
    const row = bytes.toString('hex', start, start + BYTES_PER_LINE).replace(/..\B/g, '$& ')
    return `debug: ${start.toString(16).padStart(6, '0')} ${row}`
  })
