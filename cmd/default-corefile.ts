import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './package-root.ts'

/** What `seamark up` serves when nobody says otherwise. */
export const packageCorefile = join(packageRoot, 'configs', 'Corefile')

/** CoreDNS's own default, `Corefile` in the working directory, where there is one; else the package's. */
export const defaultCorefile = (): string => (existsSync('Corefile') ? 'Corefile' : packageCorefile)
