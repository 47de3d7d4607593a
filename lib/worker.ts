/**
 * Worker threads start from a file, and that file is `.ts` in the source tree and `.js` in the compiled package (the
 * compiler rewrites imports, not URLs). This finds the sibling of a module in the form in which the module itself runs.
 */
import { extname } from 'node:path'

/** `siblingModule('worker', import.meta.url)` → the URL of `./worker.ts` or `./worker.js` beside the caller. */
export const siblingModule = (name: string, caller: string): URL => {
  const url = new URL(caller)
  return new URL(`./${name}${extname(url.pathname)}`, url)
}
