/**
 * A chart of what charts are made of: hooks, rights, workloads, tests. There is no kubelet: the test ends the Jobs and
 * Pods that helm waits for.
 */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { helm, type Run } from '../../support/kubectl.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startWebhookServer } from '../../support/webhook-server.ts'

const CHART = join(import.meta.dirname, 'harbour')
const CORE = '/api/v1/namespaces/default'
const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const MERGE = { 'content-type': 'application/merge-patch+json' }
const AT = '2026-01-01T00:00:00Z'

/** Between two looks at the server, which helm shares. */
const breath = () => new Promise(resolve => setTimeout(resolve, 100))

type Outcome = 'succeed' | 'fail'

const jobStatus = (outcome: Outcome) => {
  const [first, last] = outcome === 'succeed' ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']
  const conditions = [first, last].map(type => ({ type, status: 'True', lastTransitionTime: AT }))
  const times = outcome === 'succeed' ? { completionTime: AT, succeeded: 1 } : { failed: 1 }
  return { startTime: AT, conditions, ...times }
}

/** Ends what a kubelet would run, as long as helm runs. Resolves with what helm said and what was ended. */
const whileEnding = async (server: RunningApiserver, outcome: Outcome, running: Promise<Run>) => {
  let done = false
  const ended = new Set<string>()
  const end = async (path: string, isOpen: (item: { status?: { phase?: string } }) => boolean, status: object) => {
    for (const item of (await server.fetch(path)).json.items.filter(isOpen)) {
      const { name, uid } = item.metadata
      const changed = { method: 'PATCH', headers: MERGE, body: { status } }
      if ((await server.fetch(`${path}/${name}/status`, changed)).code === 200) ended.add(`${name} ${uid}`)
    }
  }
  const play = async (): Promise<void> => {
    const phase = outcome === 'succeed' ? 'Succeeded' : 'Failed'
    while (!done) {
      await end(JOBS, item => !(item.status as { conditions?: unknown })?.conditions, jobStatus(outcome))
      await end(`${CORE}/pods`, item => item.status?.phase === 'Pending', { phase })
      await breath()
    }
  }
  const playing = play()
  const run = await running.finally(() => {
    done = true
  })
  await playing
  return { ...run, ended: [...ended].map(text => text.split(' ')[0]) }
}

const start = async (t: ExecutionContext) => {
  const server = await startApiserver(t)
  const options = { kubeconfig: server.kubeconfig, home: temporaryFolder(t) }
  const run = (outcome: Outcome, ...args: string[]) =>
    whileEnding(server, outcome, helm([...args, '--timeout', '60s'], options))
  return {
    server,
    attempt: run,
    plain: (...args: string[]) => helm(args, options),
    async run(...args: string[]) {
      const result = await run('succeed', ...args)
      t.is(result.code, 0, `helm ${args.join(' ')}: ${result.stderr}`)
      return result
    },
    get: async (path: string) => (await server.fetch(path)).json,
    code: async (path: string) => (await server.fetch(path)).code,
  }
}

test('install, upgrade, test, rollback, uninstall, each with its hooks', async t => {
  const { run, get, code, server, plain } = await start(t)
  const installed = await run('install', 'one', CHART)
  t.regex(installed.stdout, /STATUS: deployed/)
  t.regex(installed.stdout, /^ahoy from one$/m)
  t.deepEqual(installed.ended, ['one-migrate'], 'helm waited for the hook')
  t.is(await code(`${JOBS}/one-migrate`), 404, 'which is deleted once it succeeded')
  t.is((await get(`${CORE}/configmaps/one-plan`)).data.for, '1')
  const { spec, metadata } = await get('/apis/apps/v1/namespaces/default/deployments/one')
  t.is(spec.replicas, 2)
  t.is(metadata.managedFields[0].operation, 'Apply', 'helm 4 applies on the server')

  const as = 'system:serviceaccount:default:one'
  t.is((await server.fetch(`${CORE}/configmaps`, { as })).code, 200, 'the rights count')
  t.is((await server.fetch(`${CORE}/secrets`, { as })).code, 403)

  const tested = await run('test', 'one')
  t.regex(tested.stdout, /TEST SUITE: +one-greets[\s\S]*Phase: +Succeeded/)

  const upgraded = await run('upgrade', 'one', CHART, '--set', 'greeting=hello,replicas=3,verbs={get}')
  t.regex(upgraded.stdout, /REVISION: 2/)
  t.is((await get(`${CORE}/configmaps/one-plan`)).data.for, '2', 'made anew before each upgrade')
  t.is((await get(`${CORE}/configmaps/one`)).data.greeting, 'hello')
  t.is((await server.fetch(`${CORE}/configmaps`, { as })).code, 403, 'list was taken away')

  const rolledBack = await run('rollback', 'one', '1')
  t.deepEqual(rolledBack.ended, ['one-migrate'])
  t.is((await get(`${CORE}/configmaps/one`)).data.greeting, 'ahoy')
  t.is((await get('/apis/apps/v1/namespaces/default/deployments/one')).spec.replicas, 2)
  const history = await plain('history', 'one', '-o', 'json')
  t.deepEqual(
    JSON.parse(history.stdout).map(({ status }: { status: string }) => status),
    ['superseded', 'superseded', 'deployed'],
  )
  t.regex((await plain('get', 'hooks', 'one')).stdout, /helm\.sh\/hook: post-delete/)

  await run('uninstall', 'one')
  t.is(await code('/apis/apps/v1/namespaces/default/deployments/one'), 404)
  t.is(await code('/apis/rbac.authorization.k8s.io/v1/clusterroles/default-one'), 404)
  t.is((await get(`${CORE}/configmaps/one-farewell`)).data.from, 'one', 'the last hook')
  t.is((await get(`${CORE}/secrets?labelSelector=owner%3Dhelm`)).items.length, 0)
})

test('a hook that fails fails the release, and the next try replaces it', async t => {
  const { attempt, run, plain, get } = await start(t)
  const failed = await attempt('fail', 'install', 'two', CHART)
  t.not(failed.code, 0)
  t.regex(failed.stderr, /failed pre-install/)
  t.regex((await plain('status', 'two')).stdout, /STATUS: failed/)
  t.is((await get(`${JOBS}/two-migrate`)).status.failed, 1, 'what failed stays to be looked at')
  const next = await run('upgrade', '--install', 'two', CHART)
  t.regex(next.stdout, /STATUS: deployed/)
  const tested = await attempt('fail', 'test', 'two')
  t.not(tested.code, 0)
  t.regex(tested.stdout + tested.stderr, /Phase: +Failed|pod two-greets failed/i)
})

test('a release waits until its workloads are there, and a dry run makes nothing', async t => {
  const { server, plain, get } = await start(t)
  const dry = await plain('install', 'three', CHART, '--dry-run=server')
  t.is(dry.code, 0, dry.stderr)
  t.regex(dry.stdout, /kind: Deployment/)
  t.is((await get(`${CORE}/configmaps?labelSelector=app.kubernetes.io%2Finstance%3Dthree`)).items.length, 0)
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const readied = (async () => {
    while ((await get(path)).items.length === 0) await breath()
    const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }
    const conditions = ['Available', 'Progressing'].map(type => ({
      type,
      status: 'True',
      reason: 'NewReplicaSetAvailable',
    }))
    const body = { status: { ...status, conditions } }
    return server.fetch(`${path}/three/status`, { method: 'PATCH', headers: MERGE, body })
  })()
  const args = ['install', 'three', CHART, '--wait', '--no-hooks', '--timeout', '60s']
  const installed = await plain(...args)
  t.is((await readied).code, 200)
  t.is(installed.code, 0, installed.stderr)
})

test('a chart brings its definitions, their objects, and a webhook that judges the next ones', async t => {
  const { run, plain, get, code, server } = await start(t)
  const judge = await startWebhookServer(t, ({ object }) => ({
    allowed: object.spec.length < 100,
    status: { message: 'no ship is as long as that' },
  }))
  const { url, caBundle } = judge.config()
  const hook = ['--set', `webhook.url=${url},webhook.authority=${caBundle}`]
  const berths = '/apis/harbour.example.com/v1/namespaces/default/berths'
  await run('install', 'four', CHART, ...hook, '--set', 'berth.length=20')
  t.is((await get(`${berths}/four`)).spec.length, 20)
  const other = { apiVersion: 'harbour.example.com/v1', kind: 'Berth', metadata: { name: 'other' }, spec: {} }
  const { json } = await server.fetch(berths, { method: 'POST', body: other })
  t.is(json.spec.length, 10, 'the default of the schema')
  await run('upgrade', 'four', CHART, ...hook, '--set', 'berth.length=50')
  t.is((await get(`${berths}/four`)).spec.length, 50)
  t.true(judge.requests.length > 0, 'the webhook was asked')

  const args = ['upgrade', 'four', CHART, ...hook, '--no-hooks', '--timeout', '60s']
  const judged = await plain(...args, '--set', 'berth.length=200')
  t.not(judged.code, 0)
  t.regex(
    judged.stderr,
    /admission webhook "berths\.harbour\.example\.com" denied the request: no ship is as long as that/,
  )
  const invalid = await plain(...args, '--set', 'berth.length=0')
  t.not(invalid.code, 0)
  t.regex(invalid.stderr, /spec\.length in body should be greater than or equal to 1/)
  await run('rollback', 'four', '1')
  t.is((await get(`${berths}/four`)).spec.length, 20)

  await run('uninstall', 'four')
  t.is(await code(`${berths}/four`), 404)
  t.is((await get('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations')).items.length, 0)
  const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/berths.harbour.example.com'
  t.is(await code(definition), 200, 'helm leaves definitions where they are')
  t.is((await server.fetch(definition, { method: 'DELETE' })).code, 200)
})
