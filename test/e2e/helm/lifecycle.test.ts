/** The real helm: a chart is installed, upgraded, rolled back and uninstalled. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'
import { helm, kubectl } from '../../support/kubectl.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TEMPLATE = `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-web}
spec: {selector: {app: web}, ports: [{port: {{ .Values.port | default 80 }} }]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {a: "1"}
`

const lifecycle = test.macro(async (t, ...flags: string[]) => {
  const { kubeconfig } = await startApiserver(t)
  const chart = join(temporaryFolder(t), 'shop')
  mkdirSync(join(chart, 'templates'), { recursive: true })
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.0.0\n')
  writeFileSync(join(chart, 'templates', 'shop.yaml'), TEMPLATE)
  const options = { kubeconfig, home: temporaryFolder(t) }
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await helm(args, options)
    t.is(code, 0, `helm ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const port = async (): Promise<string> => {
    const args = ['get', 'svc', 'one-web', '-o', 'jsonpath={.spec.ports[0].port} {.spec.clusterIP}']
    return (await kubectl(args, options)).stdout
  }

  t.regex(await run('install', 'one', chart, ...flags), /STATUS: deployed/)
  const [first, address] = (await port()).split(' ')
  t.is(first, '80')
  await run('upgrade', 'one', chart, ...flags, '--set', 'port=81')
  t.is(await port(), `81 ${address}`)
  await run('rollback', 'one', '1', ...flags)
  t.is(await port(), `80 ${address}`)
  t.regex(await run('list'), /^one\s+default\s+3\s/m)
  await run('uninstall', 'one')
  t.is((await kubectl(['get', 'svc,cm', '-l', 'app.kubernetes.io/managed-by=Helm', '-o', 'name'], options)).stdout, '')
})

// Helm 4 applies on the server unless told otherwise.
test('install, upgrade, rollback, uninstall', lifecycle)
test('the same with client-side apply', lifecycle, '--server-side=false')

test('an upgrade leaves alone what others own, and says so', async t => {
  const { kubeconfig } = await startApiserver(t)
  const chart = join(temporaryFolder(t), 'shop')
  mkdirSync(join(chart, 'templates'), { recursive: true })
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.0.0\n')
  writeFileSync(join(chart, 'templates', 'shop.yaml'), TEMPLATE)
  const options = { kubeconfig, home: temporaryFolder(t) }
  t.is((await helm(['install', 'one', chart], options)).code, 0)
  const value = async (path: string) =>
    (await kubectl(['get', 'cm', 'one-settings', '-o', `jsonpath={${path}}`], options)).stdout
  t.is(await value('.metadata.managedFields[*].manager'), 'helm')
  await kubectl(['patch', 'cm', 'one-settings', '--type', 'merge', '-p', '{"data":{"a":"2","b":"3"}}'], options)
  const refused = await helm(['upgrade', 'one', chart, '--force-conflicts=false'], options)
  t.not(refused.code, 0)
  t.regex(refused.stderr, /conflict with "kubectl-patch" using v1: \.data\.a/)
  t.is((await helm(['upgrade', 'one', chart, '--force-conflicts'], options)).code, 0)
  t.is(await value('.data'), '{"a":"1","b":"3"}')
})
