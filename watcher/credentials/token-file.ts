import type { Clock } from '#lib/clock.ts'
import type { Credentials } from '../credentials.ts'
import { RereadFile } from '../reread-file.ts'

/** A bearer token in a file that is replaced before the token ends (a service account's), read again each minute. */
export const tokenFileCredentials = (path: string, clock: Clock): Credentials => {
  const file = new RereadFile(path, clock)
  return {
    headers: async () => ({ authorization: `Bearer ${(await file.read()).trim()}` }),
    keyPair: async () => undefined,
    refused() {
      file.forget()
      return true
    },
  }
}
