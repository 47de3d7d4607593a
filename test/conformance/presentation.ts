/** Records between the wire and the corpus' presentation form. */
import { parseType, recordTypes, typeName } from '#resolver/wire/codes.ts'
import { aaaaData, aData, hinfoData, nameData, soaData, srvData, txtData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import type { CaseRecord } from './cases.ts'

const show: Readonly<Record<number, (data: Buffer) => string>> = {
  [recordTypes.A]: data => aData.decode(data),
  [recordTypes.AAAA]: data => aaaaData.decode(data),
  [recordTypes.CNAME]: data => nameData.decode(data),
  [recordTypes.NS]: data => nameData.decode(data),
  [recordTypes.PTR]: data => nameData.decode(data),
  [recordTypes.TXT]: data => txtData.decode(data).join(' '),
  [recordTypes.SRV](data) {
    const { priority, weight, port, target } = srvData.decode(data)
    return `${priority} ${weight} ${port} ${target}`
  },
  [recordTypes.SOA](data) {
    const { mname, rname, serial, refresh, retry, expire, minimum } = soaData.decode(data)
    return `${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`
  },
  [recordTypes.HINFO](data) {
    const { cpu, os } = hinfoData.decode(data)
    return `"${cpu}" "${os}"`
  },
}

export const toCaseRecord = ({ name, type, ttl, data }: ResourceRecord): CaseRecord => ({
  name,
  type: typeName(type),
  ttl,
  data: show[type]?.(data) ?? data.toString('hex'),
})

const read: Readonly<Record<number, (text: string) => Buffer>> = {
  [recordTypes.A]: text => aData.encode(text),
  [recordTypes.AAAA]: text => aaaaData.encode(text),
  [recordTypes.CNAME]: text => nameData.encode(text),
  [recordTypes.PTR]: text => nameData.encode(text),
  [recordTypes.SOA](text) {
    const [mname = '', rname = '', ...numbers] = text.split(' ')
    const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number)
    return soaData.encode({ mname, rname, serial, refresh, retry, expire, minimum })
  },
}

export const toResourceRecord = ({ name, type, ttl, data }: CaseRecord): ResourceRecord => {
  const number = parseType(type)!
  return { name, type: number, class: 1, ttl, data: read[number]!(data) }
}
