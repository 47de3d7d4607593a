/** The real helm: a chart is installed, upgraded, rolled back and uninstalled. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { startApiserver } from '../support/apiserver.ts'
import { helm, kubectl } from '../support/kubectl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

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

test('install, upgrade, rollback, uninstall, with client-side apply', async t => {
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

  t.regex(await run('install', 'one', chart, '--server-side=false'), /STATUS: deployed/)
  const [first, address] = (await port()).split(' ')
  t.is(first, '80')
  await run('upgrade', 'one', chart, '--server-side=false', '--set', 'port=81')
  t.is(await port(), `81 ${address}`)
  await run('rollback', 'one', '1', '--server-side=false')
  t.is(await port(), `80 ${address}`)
  t.regex(await run('list'), /^one\s+default\s+3\s/m)
  await run('uninstall', 'one')
  t.is((await kubectl(['get', 'svc,cm', '-l', 'app.kubernetes.io/managed-by=Helm', '-o', 'name'], options)).stdout, '')
  // Helm 4 applies on the server unless told otherwise; this server says that it does not know that.
  t.regex((await helm(['install', 'two', chart], options)).stderr, /server-side apply is not available on this server/)
})
