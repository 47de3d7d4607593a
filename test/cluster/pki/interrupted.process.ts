/** Makes a PKI in argv[2] and kills itself with SIGKILL just before the rename whose number is argv[3]. */
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'

const [directory = '', last = ''] = process.argv.slice(2)
const { rename } = fs
let renames = 0
fs.rename = async (from, to) => {
  if (++renames === Number(last)) process.kill(process.pid, 'SIGKILL')
  await rename(from, to)
}
syncBuiltinESMExports()

const { ensurePki } = await import('#cluster/pki/pki.ts')
const pki = await ensurePki({ directory, clock: systemClock, logger: silentLogger })
await pki.serving(['localhost'])
await pki.writeKubeconfigs({ server: 'https://127.0.0.1:6443', nodeName: 'node-1' })
