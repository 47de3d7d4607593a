/** Addresses and networks as a plugin's line names them, to be asked whether an address is among them. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { DirectiveReader } from './corefile/directive-reader.ts'
import { parseNetwork } from './corefile/network.ts'
import type { Word } from './corefile/syntax.ts'

/** Families apart: to a BlockList, IPv4 is a part of IPv6. */
export class NetworkList {
  readonly #families = { ipv4: new BlockList(), ipv6: new BlockList() }

  /** Words that are neither an address nor a network are refused. */
  static read(reader: DirectiveReader, words: readonly Word[]): NetworkList {
    const list = new NetworkList()
    for (const word of words) {
      const network = parseNetwork(word.text)
      if (!network && isIP(word.text) === 0) {
        reader.refuse(word, `"${word.text}" is neither an address nor a network (like 192.0.2.0/24 or 2001:db8::/32)`)
        continue
      }
      const address = network?.[0] ?? ipaddr.parse(word.text)
      const bits = network?.[1] ?? address.toByteArray().length * 8
      list.#families[address.kind()].addSubnet(address.toString(), bits, address.kind())
    }
    return list
  }

  /** `address` may have an IPv6 zone (`fe80::1%eth0`). */
  has(address: string): boolean {
    const bare = address.replace(/%.*$/, '')
    const family = isIPv6(bare) ? 'ipv6' : 'ipv4'
    return this.#families[family].check(bare, family)
  }
}
