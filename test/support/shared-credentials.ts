/**
 * The keys, certificates and kubeconfigs of an apiserver's folder, made once for all apiservers of a test file: making
 * them takes a third of a start, and those of one would be like those of another.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { ensurePki } from '#cluster/pki/pki.ts'
import { servingNames } from '#cluster/pki/serving-names.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'

interface File {
  /** Below the folder. */
  readonly path: string
  readonly content: Buffer
}

const CERTIFICATE = { clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], addresses: ['127.0.0.1'] }

const makeCredentials = async (): Promise<readonly File[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  try {
    const pki = await ensurePki({ directory: folder, clock: systemClock, logger: silentLogger })
    await pki.serving(servingNames(CERTIFICATE))
    await pki.serviceAccountKey()
    await pki.frontProxy()
    await pki.writeKubeconfigs({ server: 'https://127.0.0.1:0', nodeName: 'test' })
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const paths = entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    return paths.map(path => ({ path: relative(folder, path), content: readFileSync(path) }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let made: Promise<readonly File[]> | undefined

/** For the names and the node of `startApiserver`, from now on; the kubeconfigs point nowhere yet. */
export const giveCredentials = async (folder: string): Promise<void> => {
  made ??= makeCredentials()
  for (const { path, content } of await made) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, path), content, { mode: path.endsWith('.crt') ? 0o644 : 0o600 })
  }
}
