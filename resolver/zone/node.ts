/**
 * A name of the zone, found. Every kind of name is looked up to one of these three, so that NODATA and NXDOMAIN are
 * decided in one place and a name exists for all types or for none (RFC 8020).
 */
import { classes } from '../wire/codes.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { Zone, ZoneSettings } from './settings.ts'

/** Why there is nothing, for people (RFC 8914); made only for those who look. */
export type Reason = () => string

export interface RecordSet {
  readonly answers: readonly ResourceRecord[]
  readonly additional?: readonly ResourceRecord[]
  /** Targets outside of the zone, whose addresses belong into the additional section. */
  readonly elsewhere?: readonly DnsName[]
}

export interface PresentNode {
  readonly kind: 'present'
  /** Absent at an empty non-terminal; gives undefined for a type that the name does not have. */
  readonly records?: (type: number) => RecordSet | undefined
  /** Made of several objects: while the lists are incomplete, what it lacks may still come. */
  readonly growing?: true
  readonly reason?: Reason
}

export type Node =
  /** Nothing here and nothing below. `impossible`: by its form or the settings, whatever the cluster has. */
  | { readonly kind: 'missing'; readonly reason?: Reason; readonly impossible?: true }
  | PresentNode
  | { readonly kind: 'alias'; readonly target: DnsName }

/** What finding a name needs. */
export interface Lookup {
  readonly index: ClusterIndex
  readonly settings: ZoneSettings
  readonly zone: Zone
  /** The name as it was spelled. */
  readonly owner: DnsName
  /** The zone's part of it, so spelled: it ends the names that the answer makes. */
  readonly zoneText: DnsName
  /** IP addresses of this machine. */
  readonly localAddresses: () => readonly string[]
}

/** What making records of a name needs. */
export interface Owner {
  readonly owner: DnsName
  readonly settings: Pick<ZoneSettings, 'ttl'>
}

export const missing = (reason?: Reason): Node => ({ kind: 'missing', ...(reason && { reason }) })

export const impossible = (reason?: Reason): Node => ({ kind: 'missing', impossible: true, ...(reason && { reason }) })

export const noForm: Reason = () => 'no name of this zone has this form'

/** Exists, and owns nothing. */
export const EMPTY_NODE: Node = { kind: 'present' }

export const makeRecord = (name: DnsName, type: number, ttl: number, data: Buffer): ResourceRecord => ({
  name,
  type,
  class: classes.IN,
  ttl,
  data,
})
