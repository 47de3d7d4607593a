/** whoami: answers every question with the client's own address and port, as the server sees them. */
import { isIPv6 } from 'node:net'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type Answer, answered, emptyAnswer } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { joinName, nameLength, ROOT } from '../wire/name.ts'
import { aaaaData, aData, srvData } from '../wire/rdata.ts'
import type { ResourceRecord } from '../wire/record.ts'

/** Of a name on the wire (RFC 1035 §2.3.4). */
const MAX_NAME = 255

export const whoamiPlugin: PluginModule = {
  name: 'whoami',
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    return reader.finish((): Plugin => ({ name: 'whoami', handle: query => answered('whoami', describeClient(query)) }))
  },
}

const describeClient = ({ question: { name }, client, transport }: Query): Answer => {
  const base = { class: classes.IN, ttl: 0 }
  const address = client.address.replace(/%.*$/, '')
  const additional: ResourceRecord[] = [
    isIPv6(address)
      ? { ...base, name, type: recordTypes.AAAA, data: aaaaData.encode(address) }
      : { ...base, name, type: recordTypes.A, data: aData.encode(address) },
  ]
  const owner = joinName([`_${transport}`], name)
  const data = srvData.encode({ priority: 0, weight: 0, port: client.port, target: ROOT })
  // A name of nearly 255 bytes leaves no room for the label.
  if (nameLength(owner) <= MAX_NAME) additional.push({ ...base, name: owner, type: recordTypes.SRV, data })
  return emptyAnswer(rcodes.NOERROR, { authoritative: true, additional })
}
