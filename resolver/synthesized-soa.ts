import { classes, recordTypes } from './wire/codes.ts'
import { soaData } from './wire/rdata.ts'
import type { DnsName, ResourceRecord } from './wire/record.ts'

/** RFC 6303 §3: the SOA of a zone that nobody else has, for empty answers that a policy makes. `ttl`: seconds. */
export const synthesizedSoa = (zone: DnsName, ttl: number): ResourceRecord => ({
  name: zone,
  type: recordTypes.SOA,
  class: classes.IN,
  ttl,
  data: soaData.encode({
    mname: zone,
    rname: 'nobody.invalid.',
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: ttl,
  }),
})
