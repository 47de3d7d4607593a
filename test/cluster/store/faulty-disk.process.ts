/**
 * Writes to the store at argv[2] under a tracer that makes its disk fail: twelve values of argv[3] bytes. Says on standard
 * output, as JSON, of which writes the store said that they happened, and what is there when it is opened anew.
 */
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'

const [directory = '', size = ''] = process.argv.slice(2)

const open = () => openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })

const store = await open()
const outcomes: string[] = []
for (let index = 0; index < 12; index++) {
  const operations = [{ type: 'put', key: `/${index}`, value: Buffer.alloc(Number(size), index) }] as const
  try {
    await store.transact({ compare: [], operations })
    outcomes.push('ok')
  } catch (error) {
    outcomes.push(String((error as { code?: string }).code))
  }
}
const keys = async (of: typeof store): Promise<string[]> =>
  (await of.range({ start: '/', end: '0' })).keyValues.map(({ key }) => key)
const before = await keys(store)
await store.close()
const again = await open()
const after = await keys(again)
await again.transact({ compare: [], operations: [{ type: 'put', key: '/again', value: Buffer.from('x') }] })
await again.close()
console.log(JSON.stringify({ outcomes, before, after }))
