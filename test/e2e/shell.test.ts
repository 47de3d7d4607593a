/** `seamark shell`: glibc's and musl's resolvers see the cluster as in a pod, by search path, on 10.96.0.10. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adminClient, NAMESPACES, SERVICES } from '../support/admin-client.ts'
import { type Cluster, seamark, startCluster } from '../support/cluster.ts'
import { findProgram, skip } from '../support/programs.ts'
import { type RunResult, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SERVICE_ADDRESS = '10.96.80.80'

/** What stands in the way of namespaces here, if anything. */
const obstacle = (...programs: string[]): string | undefined => {
  if (process.geteuid?.() !== 0) return 'needs root'
  const missing = ['unshare', ...programs].filter(program => findProgram(program) === undefined)
  return missing.length > 0 ? `needs ${missing.join(', ')}` : undefined
}

const clusterWithService = async (t: ExecutionContext): Promise<Cluster> => {
  const cluster = await startCluster(t)
  const client = await adminClient(t, cluster.kubeconfig)
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-namespace' } })
  await client.create(SERVICES, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'my-svc', namespace: 'my-namespace' },
    spec: { clusterIP: SERVICE_ADDRESS, ports: [{ port: 80 }] },
  })
  return cluster
}

const shell = (cluster: Cluster, ...args: string[]): Promise<RunResult> =>
  run(seamark, ['shell', '--data-dir', cluster.folder, ...args])

test.serial('dig, getent and resolv.conf as in a pod; exit codes and signals pass through', async t => {
  const problem = obstacle('dig', 'getent')
  if (problem) return skip(t, problem)
  const cluster = await clusterWithService(t)
  const inside = (...command: string[]) => shell(cluster, '-n', 'my-namespace', '--', ...command)

  t.regex(
    (await inside('cat', '/etc/resolv.conf')).stdout,
    /^search my-namespace\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.96\.0\.10\noptions ndots:5\n$/,
  )
  for (const transport of ['+notcp', '+tcp']) {
    const full = await inside('dig', transport, '+short', '@10.96.0.10', 'my-svc.my-namespace.svc.cluster.local')
    t.is(full.stdout, `${SERVICE_ADDRESS}\n`, full.stderr)
  }
  t.is((await inside('dig', '+search', '+short', 'my-svc')).stdout, `${SERVICE_ADDRESS}\n`)
  for (const name of ['my-svc', 'my-svc.my-namespace', 'my-svc.my-namespace.svc']) {
    t.regex((await inside('getent', 'ahostsv4', name)).stdout, new RegExp(`^${SERVICE_ADDRESS} `), name)
  }
  t.regex((await inside('getent', 'hosts', 'kubernetes.default')).stdout, /^10\.96\.0\.1 /)
  t.is((await inside('getent', 'hosts', 'no-such-service')).code, 2)
  t.is((await inside('sh', '-c', 'exit 7')).code, 7)
  t.is((await inside('sh', '-c', 'kill -TERM $$')).code, 128 + 15)
  // The namespace has nothing but loopback: what is no name of the cluster's cannot leave.
  t.regex((await inside('ip', '-brief', 'address')).stdout, /^lo .*10\.96\.0\.10\/32.*\n$/)
})

const GETADDRINFO = `
#include <netdb.h>
#include <stdio.h>
#include <arpa/inet.h>
int main(int argc, char **argv) {
  struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
  int problem = getaddrinfo(argv[1], 0, &hints, &found);
  if (problem) { fprintf(stderr, "%s\\n", gai_strerror(problem)); return 1; }
  char text[INET_ADDRSTRLEN];
  puts(inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text));
  return 0;
}
`

test("musl's resolver finds services by search path", async t => {
  const problem = obstacle('musl-gcc')
  if (problem) return skip(t, problem)
  const folder = temporaryFolder(t)
  const source = join(folder, 'lookup.c')
  const lookup = join(folder, 'lookup')
  writeFileSync(source, GETADDRINFO)
  const compiled = await run('musl-gcc', ['-static', '-o', lookup, source])
  t.is(compiled.code, 0, compiled.stderr)
  const cluster = await clusterWithService(t)
  for (const [name, address] of [
    ['kubernetes.default', '10.96.0.1'],
    ['my-svc', SERVICE_ADDRESS],
    ['my-svc.my-namespace', SERVICE_ADDRESS],
  ] as const) {
    const { stdout, stderr } = await shell(cluster, '-n', 'my-namespace', '--', lookup, name)
    t.is(stdout, `${address}\n`, `${name}: ${stderr}`)
  }
  t.is((await shell(cluster, '-n', 'my-namespace', '--', lookup, 'no-such-service')).code, 1)
})

test.serial('a namespace that does not exist, and a cluster that does not run, are named', async t => {
  const problem = obstacle()
  if (problem) return skip(t, problem)
  const cluster = await startCluster(t)
  const unknown = await shell(cluster, '-n', 'my-namespac', '--', 'true')
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /there is no namespace "my-namespac"/)
  await cluster.stop()
  const stopped = await shell(cluster, '--', 'true')
  t.is(stopped.code, 1)
  t.regex(stopped.stderr, /seamark up/)
})
