/** What people do with kubectl to workloads, as far as records go: the real one, against a real apiserver. */
import anyTest, { type TestFn } from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'

const test = anyTest.serial as TestFn
const { attempt, run } = kubectlCluster(test)

/** The columns, which two blanks or more part, without the age. */
const rows = (text: string): string[][] => text.split('\n').map(line => line.trim().split(/\s{2,}/))

test('a deployment is created, scaled, given another image, and shown', async t => {
  t.is(await run(t, ['create', 'deployment', 'web', '--image=web:1', '--replicas=2']), 'deployment.apps/web created')
  t.is(await run(t, ['scale', 'deploy/web', '--replicas=3', '--current-replicas=2']), 'deployment.apps/web scaled')
  t.is(await run(t, ['set', 'image', 'deploy/web', 'web=web:2']), 'deployment.apps/web image updated')
  const [head, row] = rows(await run(t, ['get', 'deploy', '-o', 'wide']))
  t.deepEqual(head, ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONTAINERS', 'IMAGES', 'SELECTOR'])
  t.deepEqual(row?.toSpliced(4, 1), ['web', '0/3', '0', '0', 'web', 'web:2', 'app=web'])
  const refused = await attempt(['create', 'deployment', 'bad', '--image=web:1', '--replicas=-2'])
  t.is(refused.code, 1)
  t.regex(await run(t, ['explain', 'deployment.spec.strategy', '--recursive']), /rollingUpdate\s.*maxSurge/s)
})

test('jobs and cron jobs', async t => {
  t.is(await run(t, ['create', 'cronjob', 'tick', '--image=i', '--schedule=*/5 * * * *']), 'cronjob.batch/tick created')
  t.is(await run(t, ['create', 'job', 'now', '--from=cronjob/tick']), 'job.batch/now created')
  const [head, row] = rows(await run(t, ['get', 'cj']))
  t.deepEqual(head, ['NAME', 'SCHEDULE', 'TIMEZONE', 'SUSPEND', 'ACTIVE', 'LAST SCHEDULE', 'AGE'])
  t.deepEqual(row?.slice(0, 6), ['tick', '*/5 * * * *', '<none>', 'False', '0', '<none>'])
  const [, job] = rows(await run(t, ['get', 'jobs']))
  t.deepEqual(job?.slice(0, 3), ['now', 'Running', '0/1'])
})
