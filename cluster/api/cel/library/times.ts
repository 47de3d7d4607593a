/** Parts of times and durations. A time has a zone only where a part of it is asked for. */
import { type CelFunction, method } from '../function.ts'
import { type CelType, DURATION, INT, STRING, TIMESTAMP } from '../type.ts'
import { CelError, type Duration, type Timestamp } from '../value.ts'

/** The wall clock of a zone, as if it were UTC. */
const inZone = ({ nanoseconds }: Timestamp, zone: string): Date => {
  const milliseconds = Number(nanoseconds / 1_000_000n)
  if (zone === '' || zone === 'UTC') return new Date(milliseconds)
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone)
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(milliseconds + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    const wall = Date.parse(`${parts.format(milliseconds).replace(' ', 'T')}Z`)
    return new Date(wall + (((milliseconds % 1000) + 1000) % 1000))
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

const startOfYear = (date: Date): number => Date.UTC(date.getUTCFullYear(), 0, 1)

const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: date => date.getUTCFullYear(),
  getMonth: date => date.getUTCMonth(),
  getDayOfYear: date => Math.floor((date.getTime() - startOfYear(date)) / 86_400_000),
  getDate: date => date.getUTCDate(),
  getDayOfMonth: date => date.getUTCDate() - 1,
  getDayOfWeek: date => date.getUTCDay(),
  getHours: date => date.getUTCHours(),
  getMinutes: date => date.getUTCMinutes(),
  getSeconds: date => date.getUTCSeconds(),
  getMilliseconds: date => date.getUTCMilliseconds(),
}

const ofTime = Object.entries(PARTS).flatMap(([name, part]) =>
  [[TIMESTAMP], [TIMESTAMP, STRING]].map((parameters: readonly CelType[]) =>
    method(name, parameters, INT, ([time, zone = 'UTC']) => BigInt(part(inZone(time as Timestamp, zone as string)))),
  ),
)

const WHOLE: Readonly<Record<string, (nanoseconds: bigint) => bigint>> = {
  getHours: nanoseconds => nanoseconds / 3_600_000_000_000n,
  getMinutes: nanoseconds => nanoseconds / 60_000_000_000n,
  getSeconds: nanoseconds => nanoseconds / 1_000_000_000n,
  getMilliseconds: nanoseconds => nanoseconds / 1_000_000n,
}

const ofDuration = Object.entries(WHOLE).map(([name, part]) =>
  method(name, [DURATION], INT, ([duration]) => part((duration as Duration).nanoseconds)),
)

export const TIMES: readonly CelFunction[] = [...ofTime, ...ofDuration]
