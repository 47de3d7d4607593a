/** The servers that are measured side by side. */
import type { Contender } from '../contender.ts'
import { bind } from './bind.ts'
import { coredns } from './coredns.ts'
import { dnsmasq } from './dnsmasq.ts'
import { floor } from './floor.ts'
import { knot } from './knot.ts'
import { seamark } from './seamark.ts'
import { unbound } from './unbound.ts'

export const contenders: readonly Contender[] = [seamark, knot, unbound, dnsmasq, bind, coredns, floor]
