/** Serial numbers of SOA records: 32 bits that go round. */

/** RFC 1982 §3.2: whether `serial` comes after `than`. */
export const isNewerSerial = (serial: number, than: number): boolean =>
  serial !== than && (serial - than) >>> 0 < 0x8000_0000
