import test from 'ava'
import fc from 'fast-check'
import { aaaaData, aData, hinfoData, mxData, nameData, soaData, srvData, txtData } from '#resolver/wire/rdata.ts'

const hex = (data: Buffer): string => data.toString('hex')

test('RFC 1035 §3.4.1, RFC 3596 §2.2: addresses', t => {
  t.is(hex(aData.encode('10.96.0.10')), '0a60000a')
  t.is(aData.decode(Buffer.from('0a60000a', 'hex')), '10.96.0.10')
  t.is(hex(aaaaData.encode('FD00::10')), 'fd000000000000000000000000000010')
})

test('RFC 5952 §4: one text for each IPv6 address, the same that WHATWG URLs have', t => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, words => {
      const data = Buffer.alloc(16)
      for (const [index, word] of words.entries()) data.writeUInt16BE(word, 2 * index)
      const text = aaaaData.decode(data)
      // URLs do not have the dotted end of RFC 5952 §5.
      if (!text.startsWith('::ffff:'))
        t.is(`[${text}]`, new URL(`http://[${words.map(word => word.toString(16)).join(':')}]`).hostname)
      t.deepEqual(aaaaData.encode(text), data)
    }),
  )
  t.is(aaaaData.decode(aaaaData.encode('::ffff:10.96.0.1')), '::ffff:10.96.0.1')
})

test('RFC 1035 §3.3, RFC 2782: names and numbers', t => {
  t.is(hex(nameData.encode('a.b.')), '0161016200')
  t.is(nameData.decode(nameData.encode('A\\.b.C.')), 'A\\.b.C.')
  t.is(hex(mxData.encode({ preference: 10, exchange: 'a.' })), '000a016100')
  t.deepEqual(mxData.decode(Buffer.from('000a016100', 'hex')), { preference: 10, exchange: 'a.' })
  t.is(hex(srvData.encode({ priority: 1, weight: 50, port: 53, target: 'a.' })), '000100320035016100')
  t.deepEqual(srvData.decode(Buffer.from('000100320035016100', 'hex')), {
    priority: 1,
    weight: 50,
    port: 53,
    target: 'a.',
  })
  const soa = {
    mname: 'ns.dns.cluster.local.',
    rname: 'hostmaster.cluster.local.',
    serial: 0xffffffff,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: 5,
  }
  t.deepEqual(soaData.decode(soaData.encode(soa)), soa)
})

test('RFC 1035 §3.3.14, §3.3.2: strings of bytes', t => {
  t.is(hex(txtData.encode([Buffer.from('1.1.0')])), '05312e312e30')
  t.is(hex(txtData.encode([Buffer.alloc(0), Buffer.from([0xff])])), '0001ff')
  t.deepEqual(txtData.decode(Buffer.from('0001ff', 'hex')), [Buffer.alloc(0), Buffer.from([0xff])])
  t.throws(() => txtData.encode([Buffer.alloc(256)]), { name: 'AssertionError' })
  t.throws(() => txtData.encode([]), { name: 'AssertionError' })
  const hinfo = { cpu: 'ANY obsoleted', os: 'See RFC 8482' }
  t.deepEqual(hinfoData.decode(hinfoData.encode(hinfo)), hinfo)
})
