import { totalmem } from 'node:os'

/** Bytes that the container (its cgroup) gives to this program; undefined: whatever the machine has. */
export const memoryLimit = (): number | undefined => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : undefined
}
