/** From starting an apiserver whose store holds 100,000 Pods until it calls itself ready, and its memory then. */
import { treeMemory, treeProcessorTime } from '../accounting.ts'
import { storePods } from '../apiserver/pods.ts'
import { RunningApiserverProgram } from '../apiserver/running-apiserver.ts'
import type { BenchCase } from '../bench-case.ts'
import type { Stage } from '../stage.ts'

const COUNT = 100_000

const fill = async (): Promise<RunningApiserverProgram> => {
  const made = await RunningApiserverProgram.start()
  await made.stop()
  await storePods(made.folder, COUNT)
  return made
}

const run = async (stage: Stage) => {
  const { folder } = await stage.keep('apiserver, 100,000 pods', fill)
  const apiserver = await RunningApiserverProgram.start(folder)
  try {
    return {
      'ready after, ms': apiserver.startup,
      'on the processor, ms': treeProcessorTime(apiserver.pid),
      'resident then, MiB': treeMemory(apiserver.pid).resident,
    }
  } finally {
    await apiserver.close()
  }
}

export default { name: 'apiserver-start', rounds: 3, run } satisfies BenchCase
