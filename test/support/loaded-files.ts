/** What the main thread of a program loads: the URLs of files, and Node's own modules. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const recorder = (list: string): string => `
  import { registerHooks } from 'node:module'
  import { isMainThread } from 'node:worker_threads'
  import { writeFileSync } from 'node:fs'
  const urls = []
  registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
  const told = () => writeFileSync(${JSON.stringify(list)}, [...urls, ...process.moduleLoadList].join('\\n'))
  if (isMainThread) process.on('exit', told)
`

/** `environment` has a program write it down in `folder`; `read` once it has ended. */
export const recordLoaded = (folder: string) => {
  const [list, preload] = [join(folder, 'loaded'), join(folder, 'recorder.mjs')]
  writeFileSync(preload, recorder(list))
  return {
    environment: { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` },
    read: (): readonly string[] => readFileSync(list, 'utf8').split('\n'),
  }
}
