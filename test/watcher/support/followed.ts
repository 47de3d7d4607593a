/** An informer on a scripted server, with its clock and what its listener was told. */
import type { ExecutionContext } from 'ava'
import { RestClient } from '#watcher/client.ts'
import { createInformer, type InformerOptions, type RunningInformer } from '#watcher/create-informer.ts'
import type { Change } from '#watcher/informer.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import {
  type Asked,
  type Protocol,
  type Script,
  type ScriptedServer,
  scriptedServer,
  type thing,
} from './scripted-server.ts'

export const THINGS = { group: 'example.com', version: 'v1', resource: 'things' }
export const PROTOCOLS: readonly Protocol[] = ['http', 'https', 'h2']

interface ThingView {
  readonly name: string
  readonly revision: string
  readonly spec: unknown
}

export const view = {
  resource: THINGS,
  strip: (raw: Readonly<Record<string, unknown>>): ThingView => {
    const { metadata, spec } = raw as unknown as ReturnType<typeof thing>
    return { name: metadata.name, revision: metadata.resourceVersion, spec }
  },
}

interface Followed {
  readonly server: ScriptedServer
  readonly clock: VirtualClock
  readonly informer: RunningInformer<ThingView>
  readonly changes: string[]
}

export const told = (change: Change<ThingView>): string =>
  `${change.type} ${change.key} ${change.type === 'deleted' ? change.previous.revision : change.object.revision}`

export const follow = async (
  t: ExecutionContext,
  protocol: Protocol,
  script: Script,
  options: InformerOptions = {},
  port?: number,
): Promise<Followed> => {
  const server = await scriptedServer(t, protocol, script)
  const clock = new VirtualClock()
  const client = new RestClient({ access: server.access(port ? { server: server.url(port) } : {}), clock })
  const informer = createInformer(client, view, { clock, freeze: true, ...options })
  const changes: string[] = []
  informer.subscribe(change => changes.push(told(change)))
  await informer.start()
  t.teardown(async () => {
    await informer.close()
    await client.close()
  })
  return { server, clock, informer, changes }
}

/** Answers watches in turn, one script each; the last one again and again. */
export const inTurn = (...scripts: readonly Script[]): Script => {
  let turn = 0
  return (asked, answer) => scripts[Math.min(turn++, scripts.length - 1)]!(asked, answer)
}

export const stream =
  (...pieces: readonly (string | Buffer)[]): Script =>
  (_asked, answer) => {
    answer.setHeader('content-type', 'application/json')
    for (const piece of pieces) answer.write(piece)
  }

/** Head and nothing more. */
export const silent: Script = stream('\n')

export const endedStream =
  (...pieces: readonly string[]): Script =>
  (_asked, answer) =>
    answer.end(pieces.join(''))

export const asks = (asked: readonly Asked[]) =>
  asked.map(({ query }) => {
    query.delete('timeoutSeconds')
    return query.toString()
  })

export const STREAMING = 'resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&sendInitialEvents=true'
