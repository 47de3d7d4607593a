/**
 * Numbers of the protocol and their names, as IANA registers them (DNS Parameters, Extended DNS Error Codes).
 * A number without a name is written as RFC 3597 §5 says: `TYPE65280`, `CLASS7`; other registries use `RCODE23` alike.
 */

/** RR TYPEs, those of questions included (RFC 1035 §3.2.2–3.2.3 and later). */
export const recordTypes = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  SIG: 24,
  KEY: 25,
  PX: 26,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
} as const

/** CLASSes (RFC 1035 §3.2.4–3.2.5, RFC 2136 §2.4 for NONE). */
export const classes = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

/** RCODEs, those of twelve bits included (RFC 6895 §2.3). */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const

/** OpCodes (RFC 6895 §2.2). */
export const opcodes = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const

/** EDNS0 option codes (RFC 6891 §9). */
export const ednsOptionCodes = {
  NSID: 3,
  ECS: 8,
  EXPIRE: 9,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  EDE: 15,
} as const

/** INFO-CODEs of Extended DNS Errors (RFC 8914 §4). */
export const extendedErrorCodes = {
  OTHER: 0,
  STALE_ANSWER: 3,
  FORGED_ANSWER: 4,
  DNSSEC_BOGUS: 6,
  CACHED_ERROR: 13,
  NOT_READY: 14,
  BLOCKED: 15,
  CENSORED: 16,
  FILTERED: 17,
  PROHIBITED: 18,
  STALE_NXDOMAIN: 19,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
  INVALID_DATA: 24,
} as const

class Registry {
  readonly #prefix: string
  readonly #names = new Map<number, string>()
  readonly #numbers = new Map<string, number>()

  constructor(prefix: string, table: Readonly<Record<string, number>>) {
    this.#prefix = prefix
    for (const [name, number] of Object.entries(table)) {
      this.#names.set(number, name)
      this.#numbers.set(name, number)
    }
  }

  name(number: number): string {
    return this.#names.get(number) ?? `${this.#prefix}${number}`
  }

  /** Any case; `undefined` for a word that is neither registered nor PREFIXnnn in 16 bits. */
  number(name: string): number | undefined {
    const upper = name.toUpperCase()
    const known = this.#numbers.get(upper)
    if (known !== undefined) return known
    if (!upper.startsWith(this.#prefix)) return undefined
    const digits = upper.slice(this.#prefix.length)
    return /^\d{1,5}$/.test(digits) && Number(digits) <= 0xffff ? Number(digits) : undefined
  }
}

const typeRegistry = new Registry('TYPE', recordTypes)
const classRegistry = new Registry('CLASS', classes)
const rcodeRegistry = new Registry('RCODE', rcodes)

/** `A`, `TYPE65280`. */
export const typeName = (type: number): string => typeRegistry.name(type)
/** `a`, `AAAA`, `TYPE65280` → number; `undefined` for an unknown word. */
export const parseType = (text: string): number | undefined => typeRegistry.number(text)
/** `IN`, `CLASS7`. */
export const className = (code: number): string => classRegistry.name(code)
export const parseClass = (text: string): number | undefined => classRegistry.number(text)
/** `NXDOMAIN`, `RCODE3841`. */
export const rcodeName = (rcode: number): string => rcodeRegistry.name(rcode)
export const parseRcode = (text: string): number | undefined => rcodeRegistry.number(text)
