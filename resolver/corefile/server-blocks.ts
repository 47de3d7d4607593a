/** Server blocks with their keys understood: which zones each serves, and on which listeners. */
import { isDeepStrictEqual } from 'node:util'
import { formatAddress, parseAddress, type SocketAddress } from '#lib/address.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { DnsListener, ServedScheme } from '../listener.ts'
import type { DnsName } from '../wire/record.ts'
import { bindAddresses } from './bind-addresses.ts'
import { relativeOf } from './relatives.ts'
import { type CorefileProblem, type Directive, type Position, type ServerBlock, wordsOf } from './syntax.ts'
import { parseZoneAddress, type Scheme, schemes } from './zone-address.ts'

/** A zone as one listener serves it. */
export interface ServedZone {
  readonly listener: DnsListener
  readonly zone: DnsName
}

export interface PlannedBlock {
  readonly served: readonly ServedZone[]
  /** Without repetition, in the order of the keys. */
  readonly zones: readonly DnsName[]
  readonly servers: readonly string[]
  /** The name of its view; `''`: it has none. */
  readonly view: string
  readonly directives: readonly Directive[]
}

/** What flags say about the listeners of DNS. */
export interface ListenerOverrides {
  /** `dns-address`: replaces every address, and the port of plain DNS: port 53 where there are several. */
  readonly address: SocketAddress | undefined
  /** `dns-port`: replaces port 53, written or by default, as CoreDNS's `-dns.port`. */
  readonly port: number | undefined
}

export const readListenerOverrides = (
  overrides: Readonly<Record<string, string | undefined>>,
): Result<ListenerOverrides, string> => {
  const { 'dns-address': addressText, 'dns-port': portText } = overrides
  const address = addressText === undefined ? undefined : parseAddress(addressText)
  if (address && !address.ok) return refused(`--dns-address: ${address.problem}`)
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    return refused(`-dns.port: "${portText}" is not a port (0 to 65535)`)
  return accepted({ address: address?.value, port })
}

/** What is wrong is added to `problems`; blocks that nothing of can be served are left out then. */
export const planBlocks = (
  blocks: readonly ServerBlock[],
  overrides: ListenerOverrides,
  problems: CorefileProblem[],
): readonly PlannedBlock[] => {
  const ledger: Ledger = { problems, taken: new Map(), schemes: new Map(), tls: new Map() }
  const [onlyPort = schemes.dns, ...otherPorts] = plainPortsOf(blocks)
  const mainPort = otherPorts.length > 0 ? schemes.dns : onlyPort
  const planned = blocks.map(block => planBlock(block, { ...overrides, mainPort }, ledger))
  return planned.filter(({ served }) => served.length > 0)
}

/** Ports on which plain DNS is spoken, without repetition. */
const plainPortsOf = (blocks: readonly ServerBlock[]): readonly number[] => {
  const ports = new Set<number>()
  for (const { text } of blocks.flatMap(({ keys }) => keys)) {
    const key = parseZoneAddress(text)
    if (key.ok && key.value.scheme === 'dns') ports.add(key.value.port ?? schemes.dns)
  }
  return [...ports]
}

interface Replacements extends ListenerOverrides {
  /** The port of plain DNS that `address` replaces. */
  readonly mainPort: number
}

interface Ledger {
  readonly problems: CorefileProblem[]
  /** `SERVER ZONE` → the key that serves it. */
  readonly taken: Map<string, Position>
  /** Address → what is spoken there. */
  readonly schemes: Map<string, { readonly server: string; readonly position: Position }>
  /** `SERVER` → the first `tls` directive that is for it. */
  readonly tls: Map<string, Directive>
}

const planBlock = (block: ServerBlock, overrides: Replacements, ledger: Ledger): PlannedBlock => {
  const bound = bindAddresses(block.directives.filter(({ name }) => name.text === 'bind'))
  if (!bound.ok) ledger.problems.push(bound.problem)
  const view = block.directives.find(({ name }) => name.text === 'view')
  // What a block with a view does not take, later blocks may: it takes the zone only from itself.
  const taken = view ? new Map(ledger.taken) : ledger.taken
  const hosts = bound.ok && bound.value.length > 0 ? bound.value : ['']
  const served: ServedZone[] = []
  for (const { text, position } of block.keys) {
    const key = parseZoneAddress(text)
    if (!key.ok) {
      ledger.problems.push({ position, message: key.problem })
      continue
    }
    const { scheme, zones, port = schemes[scheme] } = key.value
    if (!isServed(scheme)) {
      ledger.problems.push({
        position,
        message: `"${text}": Seamark does not serve ${scheme}:// yet${relativeOf(directiveOf(scheme))}`,
      })
      continue
    }
    const tls = block.directives.find(({ name }) => name.text === 'tls')
    if (scheme === 'tls' && !tls) {
      ledger.problems.push({ position, message: `"${text}" needs its certificate: a line "tls CERT KEY" in the block` })
      continue
    }
    for (const listener of listenersOf({ hosts, port, scheme }, overrides)) {
      agree(listener, { position, tls }, ledger)
      for (const zone of zones) served.push(...claim({ listener, zone }, position, { ...ledger, taken }))
    }
  }
  return {
    served,
    zones: [...new Set(served.map(({ zone }) => zone))],
    servers: [...new Set(served.map(({ listener }) => listener.server))],
    view: view?.arguments[0]?.text ?? '',
    directives: block.directives,
  }
}

/** What CoreDNS calls the plugin that serves a scheme. */
const directiveOf = (scheme: Scheme): string => (scheme === 'grpc' ? 'grpc_server' : scheme)

const isServed = (scheme: Scheme): scheme is ServedScheme => scheme === 'dns' || scheme === 'tls' || scheme === 'https'

interface ListenerKey {
  readonly position: Position
  readonly tls: Directive | undefined
}

/** Blocks share listeners: what is spoken there, and with which certificates, must be the same for all of them. */
const agree = ({ address, server }: DnsListener, { position, tls }: ListenerKey, ledger: Ledger): void => {
  const mark = formatAddress(address)
  const before = ledger.schemes.get(mark) ?? { server, position }
  ledger.schemes.set(mark, before)
  // The system gives port 0 a number of its own each time.
  if (before.server !== server && address.port !== 0) {
    const where = `${before.position.file}:${before.position.line}`
    ledger.problems.push({ position, message: `${server} cannot be where ${before.server} is (${where})` })
  }
  if (!tls || server.startsWith('dns:')) return
  const other = ledger.tls.get(server) ?? tls
  ledger.tls.set(server, other)
  if (isDeepStrictEqual(wordsOf(other), wordsOf(tls))) return
  const { file, line } = other.name.position
  const message = `tls: ${server} has another certificate already (${file}:${line}); clients do not say which block they want`
  ledger.problems.push({ position: tls.name.position, message })
}

const claim = (served: ServedZone, position: Position, { problems, taken }: Ledger): ServedZone[] => {
  const mark = `${served.listener.server} ${served.zone}`
  const before = taken.get(mark)
  if (before) {
    const where = `${before.file}:${before.line}`
    problems.push({ position, message: `"${served.zone}" on ${served.listener.server} is served already (${where})` })
    return []
  }
  taken.set(mark, position)
  return [served]
}

interface ListenerPlace {
  readonly hosts: readonly string[]
  readonly port: number
  readonly scheme: ServedScheme
}

const listenersOf = ({ hosts, port, scheme }: ListenerPlace, overrides: Replacements): DnsListener[] => {
  const { address } = overrides
  const usedHosts = address ? [address.host] : hosts
  const usedPort = scheme === 'dns' ? plainPort(port, overrides) : port
  return usedHosts.map(host => {
    const socketAddress = { host, port: usedPort }
    return { address: socketAddress, server: `${scheme}://${formatAddress(socketAddress)}`, scheme }
  })
}

const plainPort = (port: number, { address, port: givenPort, mainPort }: Replacements): number => {
  if (address && port === mainPort) return address.port
  return port === schemes.dns ? (givenPort ?? port) : port
}
