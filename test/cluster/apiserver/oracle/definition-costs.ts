/** Schemas whose rules may cost too much, or just not: each is the schema of a field below `spec`. */

// biome-ignore lint/suspicious/noExplicitAny: schemas of any shape.
type Json = any

const rules = (...rules: readonly string[]): Json => ({ 'x-kubernetes-validations': rules.map(rule => ({ rule })) })
const text = (more: Json = {}): Json => ({ type: 'string', ...more })
const list = (items: Json, more: Json = {}): Json => ({ type: 'array', items, ...more })
const map = (values: Json, more: Json = {}): Json => ({ type: 'object', additionalProperties: values, ...more })
const fields = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties, ...more })

/** Within so many lists, each with a limit. */
const nested = (schema: Json, ...limits: readonly number[]): Json =>
  limits.reduce((inner, maxItems) => list(inner, { maxItems }), schema)

const ENTRY = fields({ k: text({ maxLength: 20 }), v: { type: 'integer' } }, { required: ['k'] })
const EQUAL_PAIRS = 'self.all(x, self.all(y, x == y))'

export const DEFINITION_COSTS: Readonly<Record<string, Json>> = {
  'a text without limit': text(rules("self.matches('^[a-z]+$')")),
  'a text against a long pattern': text(rules(`self.matches('^${'[a-z]x'.repeat(40)}$')`)),
  'a text within itself': text(rules('self.contains(self)')),
  'a text with a limit': text({ maxLength: 2_000, ...rules('self.contains(self)') }),
  'a text of few values': text({ enum: ['On', 'Off'], ...rules('self.contains(self)') }),
  'a list without limit': list(text(), rules("self.all(x, x == 'a')")),
  'pairs of a list without limit': list(text(), rules(EQUAL_PAIRS)),
  'pairs of a list with a limit': list(text(), { maxItems: 100, ...rules(EQUAL_PAIRS) }),
  'pairs of a list with limits': list(text({ maxLength: 30 }), { maxItems: 100, ...rules(EQUAL_PAIRS) }),
  'pairs of numbers': list({ type: 'integer' }, { maxItems: 1_200, ...rules(EQUAL_PAIRS) }),
  'pairs of numbers, a few too many': list({ type: 'integer' }, { maxItems: 1_500, ...rules(EQUAL_PAIRS) }),
  'three of a list': list(text({ maxLength: 5 }), {
    maxItems: 100,
    ...rules('self.all(x, self.all(y, self.exists(z, x + y == z)))'),
  }),
  'a rule for each of many': list(text({ maxLength: 10, ...rules("self.startsWith('a')") })),
  'a rule for each of a map': map(text({ maxLength: 100, ...rules("self.matches('a+b+c+d+')") })),
  'a rule for each of a map with a limit': map(text({ maxLength: 100, ...rules("self.matches('a+b+c+d+')") }), {
    maxProperties: 100,
  }),
  'a rule within lists': nested(text({ maxLength: 10, ...rules("self.contains('abcdef')") }), 50, 50, 50),
  'a rule within larger lists': nested(text({ maxLength: 10, ...rules("self.contains('abcdef')") }), 200, 200, 200),
  'a rule within a list of a list without limit': nested(
    list(text({ maxLength: 10, ...rules("self.contains('abcdef')") })),
    3,
  ),
  'a limit below nothing': list(text(), { maxItems: -1, ...rules(EQUAL_PAIRS) }),
  'no limit but for the text': list(ENTRY, rules("self.exists(e, e.k.matches('a'))")),
  'what must be there makes a list shorter': list(
    fields({ name: text({ maxLength: 5 }), more: text() }, { required: ['name', 'more'] }),
    rules('self.all(e, e.name.contains(e.name))'),
  ),
  'what has a default does not': list(
    fields({ name: text({ maxLength: 5 }), more: text({ default: 'a' }) }, { required: ['name', 'more'] }),
    rules('self.all(e, e.name.contains(e.name))'),
  ),
  'keys of a map': map({ type: 'integer' }, rules("self.all(k, k.startsWith('a') && self[k] > 3)")),
  'entries of a map': map(text({ maxLength: 50 }), {
    maxProperties: 40,
    ...rules('self.all(k, v, self.exists(l, w, v == w))'),
  }),
  'made by map and filter': list(text({ maxLength: 20 }), {
    maxItems: 300,
    ...rules("self.map(x, x + 'a').filter(x, x.contains('b')).all(x, self.exists(y, y == x))"),
  }),
  sorted: list(text({ maxLength: 20 }), { maxItems: 1_000, ...rules("self.sort().join(',').contains('b')") }),
  'sorted by something': list(ENTRY, { maxItems: 400, ...rules("self.sortBy(e, e.v).all(e, e.k == 'a')") }),
  sets: fields(
    { a: list({ type: 'integer' }), b: list({ type: 'integer' }, { maxItems: 5 }) },
    rules('sets.contains(self.a, self.b)', 'sets.equivalent(self.a, self.a)'),
  ),
  addresses: list(text({ maxLength: 40 }), {
    maxItems: 2_000,
    ...rules(
      "self.all(x, isIP(x) && cidr('10.0.0.0/8').containsIP(x))",
      'self.all(x, self.all(y, cidr(x).containsCIDR(y)))',
    ),
  }),
  links: list(text({ maxLength: 200 }), {
    maxItems: 100,
    ...rules(
      "self.all(x, isURL(x) && url(x).getHost().endsWith('.com'))",
      'self.all(x, self.all(y, url(x) == url(y)))',
    ),
  }),
  formats: list(text(), {
    maxItems: 10,
    ...rules('self.all(x, !format.dns1123Label().validate(x).hasValue())', 'self.all(x, isQuantity(x))'),
  }),
  replaced: text({ maxLength: 100, ...rules("self.replace('', self).replace('', self).contains(self)") }),
  split: text({ maxLength: 5_000, ...rules("self.split(',').all(x, self.contains(x))") }),
  'int or string': {
    'x-kubernetes-int-or-string': true,
    ...rules('type(self) == string ? self.contains(self) : self > 1'),
  },
  dates: list(text({ format: 'date-time' }), rules('self.all(x, self.all(y, x <= y))')),
  bytes: list(text({ format: 'byte', maxLength: 10 }), { maxItems: 90, ...rules('self.all(x, self.all(y, x < y))') }),
  'an embedded resource': fields(
    { spec: fields({}, { 'x-kubernetes-preserve-unknown-fields': true }) },
    { 'x-kubernetes-embedded-resource': true, ...rules('self.metadata.name.contains(self.kind)') },
  ),
  'optional fields': fields(
    { l: list(text()) },
    rules("self.?l.optMap(l, l.all(x, x.contains('abc'))).orValue(true)", 'self.?l[?0].orValue("").contains("a")'),
  ),
  'each within its limit, all together not': fields(
    Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `f${index}`,
        list({ type: 'integer' }, { maxItems: 1_200 + index, ...rules(EQUAL_PAIRS) }),
      ]),
    ),
  ),
  'one dear, one wrong, one good': list(text({ maxLength: 5 }), rules(EQUAL_PAIRS, 'self.foo()', 'self.size() > 1')),
  'a dear rule with a wrong message': list(text(), {
    'x-kubernetes-validations': [{ rule: EQUAL_PAIRS, messageExpression: 'self.foo()' }],
  }),
  'a dear message': list(text(), {
    maxItems: 10,
    'x-kubernetes-validations': [
      { rule: 'self.size() > 1', messageExpression: "self.map(x, x.replace('', x)).join(',')" },
    ],
  }),
  'a wrong rule and a wrong message': list(text(), {
    'x-kubernetes-validations': [{ rule: 'self.foo()', messageExpression: 'self.bar()' }],
  }),
  'a dear rule about the change': list(text(), {
    ...rules('self.all(x, oldSelf.all(y, x == y))'),
  }),
  'a dear rule about a change that may be none': fields({
    l: list(text(), {
      'x-kubernetes-validations': [{ rule: 'self.all(x, oldSelf.orValue([]).all(y, x == y))', optionalOldSelf: true }],
    }),
  }),
}
