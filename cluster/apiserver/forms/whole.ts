/** Objects as they are: the JSON that memory holds already. */
import { apiVersionOf } from '#cluster/api/object.ts'
import { type Form, listMetadata } from './form.ts'
import { jsonFrame } from './json-frame.ts'
import { Segments } from './segments.ts'

const NOTHING = Buffer.alloc(0)
const COMMA = Buffer.from(',')
const OPEN = Buffer.from('{')
const NEXT = Buffer.from(',{')
const END = Buffer.from(']}')

export const wholeForm: Form = {
  id: 'whole',
  firstDiffers: false,
  object: (_kind, { object, json }) => json ?? Buffer.from(JSON.stringify(object)),
  list: (kind, list) => {
    const head = {
      kind: kind.listKind ?? `${kind.kind}List`,
      apiVersion: apiVersionOf(kind),
      // As lists of unstructured objects are printed.
      metadata: { ...(kind.namesItems ? { continue: '' } : {}), ...listMetadata(list) },
    }
    const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)]
    if (kind.namesItems)
      for (const [index, stored] of list.items.entries()) parts.push(index === 0 ? NOTHING : COMMA, stored.json)
    else for (const [index, stored] of list.items.entries()) parts.push(index === 0 ? OPEN : NEXT, stored.itemTail)
    parts.push(END)
    return new Segments(parts)
  },
  watched: stored => stored.json,
  bookmark: (kind, metadata) =>
    Buffer.from(JSON.stringify({ kind: kind.kind, apiVersion: apiVersionOf(kind), metadata })),
  frame: jsonFrame,
}
