/** Lists of 10,000 Pods, from the request to the last byte, in each form; one client, one connection. */
import { Clients } from '../apiserver/client.ts'
import { PODS, storePods } from '../apiserver/pods.ts'
import { RunningApiserverProgram } from '../apiserver/running-apiserver.ts'
import type { BenchCase } from '../bench-case.ts'
import type { Stage } from '../stage.ts'

const COUNT = 10_000
const PAGE = 500
/** The first of each kind is forgotten: connections and code grow warm by it. */
const TURNS = 4

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

const FORMS = [
  { name: 'JSON', path: PODS, headers: {} },
  { name: 'JSON, gzip', path: PODS, headers: { 'accept-encoding': 'gzip' } },
  { name: `JSON, pages of ${PAGE}`, path: `${PODS}?limit=${PAGE}`, headers: {} },
  { name: 'Table', path: PODS, headers: { accept: TABLE } },
  { name: 'metadata', path: PODS, headers: { accept: METADATA } },
  { name: 'protobuf', path: PODS, headers: { accept: 'application/vnd.kubernetes.protobuf' } },
]

const start = async (): Promise<RunningApiserverProgram> => {
  const made = await RunningApiserverProgram.start()
  // An apiserver that has run once has all but the Pods.
  await made.stop()
  await storePods(made.folder, COUNT)
  return made.again()
}

const run = async (stage: Stage) => {
  const apiserver = await stage.keep('apiserver, 10,000 pods', start)
  const lists = FORMS.flatMap(form => Array.from({ length: TURNS }, () => form))
  const clients = new Clients({ type: 'list', access: apiserver.access, lists })
  const figures: Record<string, Record<string, number>> = {}
  try {
    for (const [index, { name }] of lists.entries()) {
      const { milliseconds, bytes } = await clients.next<{ list: string; milliseconds: number; bytes: number }>()
      if (index % TURNS === 0) continue
      const best = Math.min(figures[name]?.ms ?? Number.POSITIVE_INFINITY, milliseconds)
      figures[name] = { ms: best, 'MB sent': bytes / 1e6 }
    }
  } finally {
    await clients.close()
  }
  return figures
}

export default { name: 'apiserver-lists', run } satisfies BenchCase
