/** Selectors, limits and versions. */
import type { Side } from './side.ts'

export type Revision = (side: Side, old: number) => string | undefined

export const REVISIONS: readonly Revision[] = [
  () => undefined,
  () => undefined,
  () => undefined,
  () => '',
  () => '0',
  (side, old) => side.revisions.at(-1 - old),
  (side, old) => side.revisions.at(-1 - old),
  side => side.revisions.at(-1),
  side => side.revisions[5],
]
export const ODD_REVISIONS: readonly Revision[] = [() => 'x', () => '-1', () => '1.5']

export const LABELS = [
  undefined,
  undefined,
  'app=x',
  'app in (x,y)',
  'app notin (x)',
  'app!=x',
  '!app',
  'app',
  'n>4',
  'n<4',
  'app=x,n>2',
  'app==x',
  'app=',
]
export const ODD_LABELS = [
  'app in ()',
  'a b',
  '=x',
  'app in (x',
  'app=x=y',
  ',',
  'app,',
  'app=bad value',
  'app in (x y)',
  'n>x',
  '!app=x',
  'bad/key/x=1',
  'app=x,,n',
  '!',
  '(',
  'app notin x',
  'app in (,x)',
  'app in (x,)',
  ' app = x ',
  'in',
  'in in (in)',
  'app exists',
  'n>1.5',
  'app=\u00e9',
  'app!x',
]
export const FIELDS = [
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  'metadata.name=a',
  'metadata.name!=a',
  'metadata.namespace=default',
  'metadata.name==b,metadata.namespace=other',
  '',
]
export const ODD_FIELDS = [
  'spec.x=1',
  'metadata.name',
  'metadata.name=',
  'metadata.name=a\\',
  'metadata.name=a=b',
  'metadata.name=a,,',
  'metadata.name=a\\,b',
  '=a',
  'metadata.name in (a)',
]
export const LIMITS = [undefined, undefined, undefined, '1', '2', '3', '500', '0']
export const ODD_LIMITS = ['', '-1', 'x', '1.5']
export const MATCHES = [undefined, undefined, undefined, 'Exact', 'NotOlderThan']
export const FLAGS = [undefined, undefined, 'true', 'false', '1', '0', '']
export const ODD_FLAGS = ['TRUE', 'wrong', 'yes']
