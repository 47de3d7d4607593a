/** Names in answers put back to what the client asked for. */
import type { Answer } from '../verdict.ts'
import { recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { mxData, nameData, soaData, srvData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { NameRewriter } from './name-pattern.ts'

/** Each tells of a name; the first that knows one wins. */
export interface Renaming {
  readonly owners: readonly NameRewriter[]
  readonly values: readonly NameRewriter[]
  /** Whether the question's new name becomes the one that was asked in values, too, as it always does in owners. */
  readonly restoresValues: boolean
}

const rename = (rewriters: readonly NameRewriter[], name: DnsName): DnsName => {
  const canonical = canonicalName(name)
  for (const rewriter of rewriters) {
    const renamed = rewriter(canonical)
    if (renamed !== undefined) return renamed
  }
  return name
}

/** Types whose data is a name, or has one that clients follow. */
const renameData = (type: number, data: Buffer, map: (name: DnsName) => DnsName): Buffer => {
  switch (type) {
    case recordTypes.CNAME:
    case recordTypes.DNAME:
    case recordTypes.NS:
    case recordTypes.PTR:
      return nameData.encode(map(nameData.decode(data)))
    case recordTypes.MX: {
      const value = mxData.decode(data)
      return mxData.encode({ ...value, exchange: map(value.exchange) })
    }
    case recordTypes.SRV: {
      const value = srvData.decode(data)
      return srvData.encode({ ...value, target: map(value.target) })
    }
    case recordTypes.SOA: {
      const value = soaData.decode(data)
      return soaData.encode({ ...value, mname: map(value.mname) })
    }
    case recordTypes.NAPTR: {
      const at = naptrReplacement(data)
      return Buffer.concat([data.subarray(0, at), nameData.encode(map(nameData.decode(data.subarray(at))))])
    }
    default:
      return data
  }
}

/** Where its name begins: behind two numbers and three strings (RFC 3403 §4.1). */
const naptrReplacement = (data: Buffer): number => {
  let at = 4
  for (let string = 0; string < 3; string++) at += 1 + data[at]!
  return at
}

/** `asked` is the client's spelling of what was rewritten to `rewritten`: whatever else is renamed, that is. */
export const renameAnswer = (
  answer: Answer,
  { owners, values, restoresValues }: Renaming,
  asked: DnsName,
  rewritten: DnsName,
): Answer => {
  const isKept = values.length === 0 && !restoresValues
  const renameValue = (value: DnsName): DnsName =>
    restoresValues && canonicalName(value) === rewritten ? asked : rename(values, value)
  const renamed = (record: ResourceRecord): ResourceRecord => {
    const isAsked = canonicalName(record.name) === rewritten
    const name = isAsked ? asked : rename(owners, record.name)
    const data = isKept ? record.data : renameData(record.type, record.data, renameValue)
    return name === record.name && data === record.data ? record : { ...record, name, data }
  }
  const { answers, authority, additional } = answer
  return {
    ...answer,
    answers: answers.map(renamed),
    authority: authority.map(renamed),
    additional: additional.map(renamed),
  }
}
