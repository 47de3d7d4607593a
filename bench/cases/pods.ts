/**
 * The map of pods by address at 100,000 pods: retained bytes a pod, fresh and after each pod was replaced three times;
 * microseconds for a change and for a look.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { silentLogger } from '#lib/log.ts'
import type { ApiObject } from '#watcher/object.ts'
import { PodMap } from '#watcher/pod-map.ts'
import { LARGE, podObject } from '../scale/generated-objects.ts'

const ROUNDS_OF_CHURN = 3

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const retained = (): number => {
  // The first one finds the buffers that nobody has, the second one their bytes gone.
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const object = (number: number): ApiObject => podObject(number, LARGE) as unknown as ApiObject

/** Microseconds of one of `count` calls, without what makes their arguments. */
const microseconds = <Argument>(
  count: number,
  argument: (turn: number) => Argument,
  act: (argument: Argument) => void,
): number => {
  let spent = 0
  for (let turn = 0; turn < count; turn += 1000) {
    const prepared = Array.from({ length: 1000 }, (_, index) => argument(turn + index))
    const start = performance.now()
    for (const each of prepared) act(each)
    spent += performance.now() - start
  }
  return (spent * 1000) / count
}

/** Before the first round: later ones find the rest of the one before, until the collector comes to it. */
let empty: number | undefined

const run = async (): Promise<Record<string, number>> => {
  const { pods } = LARGE
  empty ??= retained()
  const map = new PodMap({ labelKeys: [], logger: silentLogger })
  map.listBegins()
  const added = microseconds(pods, object, pod => map.put(pod))
  map.listEnds()
  const fresh = (retained() - empty) / pods
  for (let number = 0; number < ROUNDS_OF_CHURN * pods; number++) {
    // As a rollout: the new pod has another name and another address.
    map.remove(object(((number * 7919) % pods) + Math.floor(number / pods) * pods))
    map.put(object(((number * 7919) % pods) + (Math.floor(number / pods) + 1) * pods))
  }
  const churned = (retained() - empty) / map.size
  const address = (number: number) => Uint8Array.of(10, 128 + (number >> 16), (number >> 8) & 255, number & 255)
  const found = microseconds(
    pods,
    number => address(number + ROUNDS_OF_CHURN * pods),
    bytes => map.find(bytes),
  )
  return {
    pods: map.size,
    'bytes a pod': fresh,
    'bytes a pod after churn': churned,
    'a pod is added, µs': added,
    'a pod is found by its address, µs': found,
  }
}

export default { name: 'pods', run }
