/** Zones out of zone-file text, and one with something of everything that RFC 1034 §4.3.2 and its successors speak of. */
import type { AuthorityZone } from '#resolver/authority/zone.ts'
import { ZoneBuilder } from '#resolver/authority/zone-builder.ts'
import { formatZoneFileProblem, readZoneFile } from '#resolver/zonefile/zone-file.ts'

/** The zone, or what is wrong with it. */
export const tryZone = async (text: string, origin = 'example.'): Promise<AuthorityZone | string> => {
  const builder = new ZoneBuilder(origin)
  const read = await readZoneFile({
    file: 'db',
    origin,
    readFile: async () => text,
    add: record => builder.add(record),
  })
  if (!read.ok) return formatZoneFileProblem(read.problem)
  const zone = builder.finish()
  return zone.ok ? zone.value : zone.problem
}

export const makeZone = async (text: string, origin?: string): Promise<AuthorityZone> => {
  const zone = await tryZone(text, origin)
  if (typeof zone === 'string') throw new Error(zone)
  return zone
}

export const variedZone = `$TTL 300
@           3600 SOA ns1 root 2031010100 7200 1800 86400 60
            NS ns1
            NS ns.other.test.
            MX 10 Mail
ns1         A 192.0.2.53
            AAAA 2001:db8::53
Mail        A 192.0.2.25
www         A 192.0.2.1
            A 192.0.2.2
            TXT "hello"
            HTTPS 1 . alpn=h2
_http._tcp  SRV 0 5 80 www
            SRV 0 5 80 out.other.test.
alias       CNAME www
alias2      CNAME alias
dangling    CNAME nothing
leaving     CNAME target.other.test.
loop1       CNAME loop2
loop2       CNAME loop1
todelegated CNAME host.sub
a.b.ent     A 192.0.2.9
; RFC 4592 §2.2.1's zone
*.wild      TXT "this is a wildcard"
            MX 10 host1.wild
sub.*.wild  TXT "this is not a wildcard"
host1.wild  A 192.0.2.41
_ssh._tcp.host1.wild SRV 0 0 22 host1.wild
cut.wild    NS ns.cut.wild
ns.cut.wild A 192.0.2.42
*.cw        CNAME www
*.addr      A 192.0.2.7
mx          MX 5 any.addr
sub         NS ns.sub
            NS ns.other.test.
            DS 1 8 2 AABBCC
ns.sub      A 192.0.2.61
            AAAA 2001:db8::61
host.sub    A 192.0.2.62
unsigned    NS ns.sub
dn          DNAME www
dn2         DNAME elsewhere.test.
dn          TXT "at the owner"
deep        DNAME zone
x.zone      A 192.0.2.77
todname     CNAME x.deep
long        DNAME ${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.test.
`
