/** A shared suite for kinds, through the HTTP door: create, defaults, refusals, what may not change, status, columns. */
import type { TestFn } from 'ava'
import { type RunningApiserver, startApiserver } from './apiserver.ts'

type Body = Readonly<Record<string, unknown>>

// biome-ignore lint/suspicious/noExplicitAny: cases change whatever field they are about.
type Draft = any
/** What is done to an object, and the complaints about the outcome: none where it is taken. */
type Trial = readonly [title: string, change: (body: Draft) => void, complaints: readonly string[]]

export interface KindCase {
  /** `/apis/apps/v1/namespaces/default/deployments`. */
  readonly path: string
  /** What is created; named `x` unless it says otherwise. */
  readonly good: Body
  /** What of the answer must be so, absent fields filled. */
  readonly defaults?: Body
  /** What to change in `good`, and the complaints. */
  readonly invalid?: readonly Trial[]
  /** What an update of the stored object changes, and the complaints. */
  readonly immutable?: readonly Trial[]
  /** Goes in by `/status` alone. */
  readonly status?: Body
  /** Cells by column name, once the status is in; columns with `-o wide` too. */
  readonly cells: Readonly<Record<string, unknown>>
  /** Columns that differ each time. */
  readonly masked?: readonly string[]
}

const named = (body: Body): Draft => {
  const copy = structuredClone(body) as { metadata?: { name?: string } }
  copy.metadata = { name: 'x', ...copy.metadata }
  return copy
}

const complaintsOf = (reply: { json: Draft }): string[] =>
  (reply.json.details?.causes ?? []).map(
    (cause: { field: string; message: string }) => `${cause.field}: ${cause.message}`,
  )

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

export const kindDoor = (test: TestFn, cases: readonly KindCase[]): void => {
  let server: RunningApiserver
  test.before(async () => {
    server = await startApiserver()
  })
  test.after.always(() => server.close())

  for (const { path, good, defaults, invalid = [], immutable = [], status, cells, masked = [] } of cases) {
    const parts = path.split('/')
    const version = parts[1] === 'api' ? parts[2] : parts[3]
    const resource = version === 'v1' ? parts.at(-1) : `${version} ${parts.at(-1)}`
    const body = named(good)
    const { name } = body.metadata as { name: string }
    const at = `${path}/${name}`

    for (const [title, change, complaints] of invalid) {
      test.serial(`${resource}: ${title}`, async t => {
        const wrong = structuredClone(body)
        change(wrong)
        const reply = await server.fetch(`${path}?dryRun=All`, { method: 'POST', body: wrong })
        t.is(reply.code, 422, reply.text)
        t.deepEqual(complaintsOf(reply), [...complaints])
      })
    }

    test.serial(`${resource}: created with defaults, updated by generation, status by its own door, shown`, async t => {
      const given = status ? { ...body, status } : body
      const created = await server.fetch(`${path}?fieldValidation=Strict`, { method: 'POST', body: given })
      t.is(created.code, 201, created.text)
      if (defaults) t.like(created.json, defaults)
      if (status) {
        t.notDeepEqual({ ...created.json.status, ...status }, created.json.status, 'a create takes no status')
        const put = await server.fetch(at, { method: 'PUT', body: { ...created.json, status } })
        t.is(put.json.metadata.resourceVersion, created.json.metadata.resourceVersion, 'nor does an update')
        const told = await server.fetch(`${at}/status`, { method: 'PUT', body: { ...created.json, status } })
        t.is(told.code, 200, told.text)
        t.like(told.json, { status })
        t.is(told.json.metadata.generation, created.json.metadata.generation)
        t.deepEqual(told.json.spec, created.json.spec)
      }
      const table = await server.fetch(at, { headers: { accept: TABLE } })
      const columns = (table.json.columnDefinitions as { name: string }[]).map(column => column.name)
      const row = table.json.rows[0].cells as unknown[]
      t.deepEqual(Object.fromEntries(Object.keys(cells).map(column => [column, row[columns.indexOf(column)]])), cells)
      t.deepEqual(
        columns.filter(column => !(column in cells)),
        columns.filter(column => ['Name', 'Age', ...masked].includes(column) && !(column in cells)),
        'every column is looked at',
      )
    })

    for (const [title, change, complaints] of immutable) {
      test.serial(`${resource}: update: ${title}`, async t => {
        const put = async () => {
          const current = await server.fetch(at)
          t.is(current.code, 200)
          const next = structuredClone(current.json)
          change(next)
          return server.fetch(at, { method: 'PUT', body: next })
        }
        let reply = await put()
        // The server may write too, a status.
        while (reply.code === 409) reply = await put()
        t.is(reply.code, complaints.length > 0 ? 422 : 200, reply.text)
        t.deepEqual(complaintsOf(reply), [...complaints])
      })
    }
  }
}
