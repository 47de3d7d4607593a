/**
 * bogus_nxdomain: turns answers with certain addresses back into NXDOMAIN (dnsmasq's bogus-nxdomain): those of the
 * advertising pages to which some providers lead names that do not exist. It stands before `cache` and looks at what other
 * servers said alone.
 */

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Question } from '../query.ts'
import { synthesizedSoa } from '../synthesized-soa.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain, ROOT } from '../wire/name.ts'
import { aaaaData, aData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

/** Seconds for which clients may keep the denial: names may come to exist. */
const TTL = 60

export const bogusNxdomainPlugin: PluginModule = {
  name: 'bogus_nxdomain',
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    if (directive.arguments.length === 0) reader.refuse(directive.name, 'needs an address or a network')
    const networks = directive.arguments.map(word => readNetwork(reader, word))
    return reader.finish(
      (): Plugin => ({
        name: 'bogus_nxdomain',
        steady: true,
        transparent: true,
        handle: (query, next) =>
          whenKnown(next(query), verdict => judged(verdict, query.question, { networks, zones: block.zones })),
      }),
    )
  },
}

type Network = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, length: number]

const readNetwork = (reader: DirectiveReader, word: Word): Network => {
  const [host = ''] = word.text.split('/', 1)
  // ipaddr.js would take `192.0.2` and `99` for addresses, as inet_aton does.
  if (isIP(host) !== 0 && (host === word.text || ipaddr.isValidCIDR(word.text))) {
    const address = ipaddr.parse(host)
    return host === word.text ? [address, address.toByteArray().length * 8] : ipaddr.parseCIDR(word.text)
  }
  reader.refuse(word, `"${word.text}" is neither an address nor a network`)
  return [ipaddr.parse('::'), 128]
}

interface Rule {
  readonly networks: readonly Network[]
  readonly zones: readonly DnsName[]
}

const judged = (verdict: Verdict, { canonicalName }: Question, { networks, zones }: Rule): Verdict => {
  if (verdict.verdict !== 'answered' || (verdict.by !== 'forward' && verdict.by !== 'cache')) return verdict
  const { answers, recursionAvailable } = verdict.answer
  const isBogus = answers.some(record => {
    const address = addressOf(record)
    return address !== undefined && networks.some(network => contains(network, address))
  })
  if (!isBogus) return verdict
  const zone = zones.find(name => isSubdomain(canonicalName, name)) ?? ROOT
  return answered(
    'bogus_nxdomain',
    emptyAnswer(rcodes.NXDOMAIN, {
      recursionAvailable,
      authority: [synthesizedSoa(zone, TTL)],
      // RFC 8914 §4.5.
      extendedErrors: [
        { code: extendedErrorCodes.FORGED_ANSWER, text: 'the answer had an address that stands for none' },
      ],
    }),
  )
}

const addressOf = ({ type, data }: ResourceRecord): ipaddr.IPv4 | ipaddr.IPv6 | undefined => {
  // Of another length it is no address, whatever its type says.
  if (type === recordTypes.A && data.length === 4) return ipaddr.parse(aData.decode(data))
  return type === recordTypes.AAAA && data.length === 16 ? ipaddr.parse(aaaaData.decode(data)) : undefined
}

const contains = ([network, length]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  network.kind() === address.kind() && address.match(network, length)
