/**
 * Types that types.json does not hold, because they are made while the server runs: those of custom resources. What reads
 * and writes objects by the name of their type asks here first.
 */
import type { Result } from '#lib/result.ts'

export interface RunTimeType {
  /** As `decodeValue`. */
  readonly decode: (
    value: unknown,
  ) => Result<{ readonly value: Record<string, unknown>; readonly unknownFields: readonly string[] }, string>
  /** The same for what a merge has made of configurations that were held against the type: nothing is left out. */
  readonly decodeMerged: RunTimeType['decode']
  /** As `encodeObject`: a copy. */
  readonly encode: (object: Record<string, unknown>) => Record<string, unknown>
  /** Undoes what else the type's definition did. */
  readonly forget: () => void
}

const types = new Map<string, RunTimeType>()

/** `name`: never given to another type. */
export const defineType = (name: string, type: RunTimeType): void => {
  types.set(name, type)
}

export const forgetType = (name: string): void => {
  types.get(name)?.forget()
  types.delete(name)
}

export const runTimeType = (name: string): RunTimeType | undefined => types.get(name)
