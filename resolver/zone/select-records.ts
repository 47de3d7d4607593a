/** What a node has of the type that was asked for. */
import { recordTypes } from '../wire/codes.ts'
import { hinfoData } from '../wire/rdata.ts'
import { type Lookup, makeRecord, type PresentNode, type RecordSet } from './node.ts'

/** Seconds. RFC 8482 §4.2 leaves it open; nothing is gained by asking again. */
const ANY_TTL = 3600

/** The records of one type; undefined: NODATA. */
export const selectRecords = (
  lookup: Pick<Lookup, 'owner'>,
  node: PresentNode,
  type: number,
): RecordSet | undefined => {
  if (!node.records) return undefined
  if (type !== recordTypes.ANY) return node.records(type)
  // RFC 8482 §4.2: one small record instead of all.
  const data = hinfoData.encode({ cpu: 'RFC8482', os: '' })
  return { answers: [makeRecord(lookup.owner, recordTypes.HINFO, ANY_TTL, data)] }
}
