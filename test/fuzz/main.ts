/**
 * `npm run fuzz [-- --minutes 10]`: feeds every target (messages, the whole resolver, TCP, HTTPS, the Corefile, zone files,
 * kubeconfigs, the state on disk, templates) mutated inputs, guided by which code they reach, and ends with 1 where a law was
 * broken. What broke it is kept in corpus/.
 *
 * `--target NAME` for one alone; `--seed N` for the same inputs again; `--replay FILE` for one input of corpus/.
 */
import { basename, dirname } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Fuzzer, keepFinding, problemWith } from './engine.ts'
import { type FuzzTarget, readSeed } from './target.ts'
import { targets } from './targets.ts'

const number = (text: string): number => {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('not a number')
}

const {
  minutes,
  seed,
  target: wanted,
  replay,
} = new Command('fuzz')
  .addOption(new Option('--minutes <n>', 'how long, all targets together').default(1).argParser(number))
  .addOption(
    new Option('--seed <n>', 'start of the random numbers').default(Date.now() % 1e9, 'the time').argParser(number),
  )
  .addOption(new Option('--target <name>', 'one target alone').choices(targets.map(({ name }) => name)))
  .addOption(new Option('--replay <file>', 'run one input of corpus/'))
  .parse()
  .opts<{ minutes: number; seed: number; target?: string; replay?: string }>()

const withTarget = async (target: FuzzTarget, task: () => Promise<boolean>): Promise<boolean> => {
  await target.start?.()
  return task().finally(() => target.close?.())
}

const replayFile = (path: string): Promise<boolean> => {
  const target = targets.find(({ name }) => name === basename(dirname(path)))
  if (!target) throw new Error(`${path} lies in the folder of no target`)
  return withTarget(target, async () => {
    const problem = await problemWith(target, readSeed(target, path))
    console.log(problem ?? 'no law is broken')
    return problem === undefined
  })
}

const fuzz = (target: FuzzTarget, time: number): Promise<boolean> =>
  withTarget(target, async () => {
    const { runs, covered, kept, growth, findings } = await new Fuzzer(target, seed).run(time)
    const megabytes = (growth / 1024 / 1024).toFixed(1)
    console.log(
      `${target.name}: ${runs} inputs, ${kept} kept, ${covered} parts of the code reached, heap +${megabytes} MiB`,
    )
    for (const finding of findings) {
      console.log(`\n${finding.problem}\n  replay: npm run fuzz -- --replay ${keepFinding(target, finding)}\n`)
    }
    return findings.length === 0
  })

const chosen = targets.filter(({ name }) => wanted === undefined || name === wanted)
let clean = true
if (replay !== undefined) clean = await replayFile(replay)
else {
  console.log(`seed ${seed}, ${minutes} minutes`)
  for (const target of chosen) clean = (await fuzz(target, (minutes * 60_000) / chosen.length)) && clean
}
process.exitCode = clean ? 0 : 1
