/**
 * nsid: tells clients that ask for it which server answered (RFC 5001), in every reply of the block, failures included.
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import { ednsOptionCodes } from '../wire/codes.ts'
import { findOption } from '../wire/edns.ts'

/** Bytes of an identifier: it has to leave room for the answer (RFC 5001 §3.1: any length). */
const MAX_LENGTH = 255

export const nsidPlugin: PluginModule = {
  name: 'nsid',
  setup(directive, _block, { hostname }) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    const [first] = directive.arguments
    const data = Buffer.from(directive.arguments.map(({ text }) => text).join(' ') || hostname)
    if (first && data.length > MAX_LENGTH) reader.refuse(first, `an identifier has at most ${MAX_LENGTH} bytes`)
    const options = [{ code: ednsOptionCodes.NSID, data }]
    return reader.finish(
      (): Plugin => ({
        name: 'nsid',
        steady: true,
        // RFC 5001 §2.1: only to those who ask.
        replyOptions: ({ edns }) => (edns && findOption(edns, ednsOptionCodes.NSID) ? options : []),
      }),
    )
  },
}
