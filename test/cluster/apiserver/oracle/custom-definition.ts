/** A CustomResourceDefinition with one of everything, and values for its objects, right and wrong ones. */

// biome-ignore lint/suspicious/noExplicitAny: schemas and values of any shape.
type Json = any

const text = (more: Json = {}): Json => ({ type: 'string', ...more })
const integer = (more: Json = {}): Json => ({ type: 'integer', ...more })

const NODE: Json = {
  type: 'object',
  required: ['name'],
  properties: {
    name: text({ minLength: 1, maxLength: 5 }),
    port: integer({ minimum: 1, maximum: 65535, default: 80 }),
    protocol: text({ enum: ['TCP', 'UDP'], default: 'TCP' }),
  },
}

export const SPEC: Json = {
  type: 'object',
  required: ['size'],
  properties: {
    size: integer({ minimum: 0, maximum: 10 }),
    replicas: integer({ default: 1 }),
    ratio: { type: 'number', exclusiveMinimum: true, minimum: 0, maximum: 1 },
    step: { type: 'number', multipleOf: 2 },
    pattern: text({ pattern: '^[a-z]+$' }),
    flag: { type: 'boolean', default: true },
    nothing: text({ nullable: true }),
    color: text({ enum: ['red', 'green'], nullable: true }),
    date: text({ format: 'date' }),
    time: text({ format: 'date-time' }),
    address: text({ format: 'ipv4' }),
    mail: text({ format: 'email' }),
    bytes: text({ format: 'byte' }),
    either: { 'x-kubernetes-int-or-string': true },
    percent: {
      'x-kubernetes-int-or-string': true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      pattern: '^\\d+%$',
    },
    labels: { type: 'object', additionalProperties: text({ maxLength: 3 }), maxProperties: 2 },
    counts: { type: 'object', additionalProperties: integer() },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text(), maxItems: 4 },
    nodes: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: NODE,
      maxItems: 3,
    },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: { ...NODE, required: ['port'], properties: { ...NODE.properties, port: integer(), name: text() } },
    },
    list: { type: 'array', minItems: 1, items: integer({ minimum: 0 }) },
    deep: {
      type: 'object',
      properties: { a: { type: 'object', default: {}, properties: { b: integer({ default: 7 }) } } },
    },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { x: integer(), y: integer() } },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    half: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: integer() } },
    one: {
      type: 'object',
      properties: { a: integer(), b: integer() },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    any: {
      type: 'object',
      properties: { a: integer(), b: integer() },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    all: { type: 'integer', allOf: [{ minimum: 2 }, { maximum: 4 }], not: { enum: [3] } },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    rules: {
      type: 'object',
      properties: {
        low: integer(),
        high: integer(),
        once: text({ maxLength: 10 }),
        names: { type: 'array', maxItems: 5, items: text({ maxLength: 5 }) },
        when: text({ format: 'date-time' }),
        map: { type: 'object', maxProperties: 3, additionalProperties: integer() },
        port: { 'x-kubernetes-int-or-string': true },
      },
      'x-kubernetes-validations': [
        {
          rule: '!has(self.low) || !has(self.high) || self.low <= self.high',
          message: 'low must not be above high',
          fieldPath: '.low',
        },
        {
          rule: '!has(self.names) || self.names.all(n, n.startsWith("n"))',
          messageExpression: '"names must start with n, unlike " + self.names[0]',
        },
        {
          rule: '!has(self.map) || self.map.all(k, self.map[k] > 0)',
          reason: 'FieldValueForbidden',
          message: 'only above zero',
        },
        { rule: '!has(self.when) || self.when < timestamp("2030-01-01T00:00:00Z")' },
        { rule: '!has(self.port) || self.port > 3' },
        { rule: '!has(self.high) || 100 / self.high > 1' },
        {
          rule: 'has(oldSelf.once) == false || (has(self.once) && self.once == oldSelf.once)',
          message: 'once is set once',
        },
      ],
    },
    immutable: text({
      maxLength: 10,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'immutable', reason: 'FieldValueInvalid' }],
    }),
    short: text({ maxLength: 20, 'x-kubernetes-validations': [{ rule: 'self.size() < 4', message: 'short only' }] }),
  },
}

export const definition = (): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: {
      plural: 'things',
      singular: 'thing',
      kind: 'Thing',
      listKind: 'ThingList',
      shortNames: ['th'],
      categories: ['all'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Pattern', type: 'string', jsonPath: '.spec.pattern', priority: 1 },
          { name: 'Node', type: 'string', jsonPath: '.spec.nodes[?(@.name=="a")].port' },
          { name: 'Labels', type: 'string', jsonPath: '.spec.labels' },
          { name: 'Flag', type: 'boolean', jsonPath: '.spec.flag' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        ],
        selectableFields: [{ jsonPath: '.spec.size' }, { jsonPath: '.spec.pattern' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: SPEC,
              status: {
                type: 'object',
                properties: {
                  replicas: integer(),
                  selector: text(),
                  phase: text({ enum: ['On', 'Off'] }),
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: { type: 'object', required: ['type'], properties: { type: text(), status: text() } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
})

/** Values of `spec`, by field: some that fit, some that do not. */
export const VALUES: Readonly<Record<string, readonly Json[]>> = {
  size: [0, 5, 10, 11, -1, 'x', null, 1.5, true],
  replicas: [0, 3, -2, null, 'x'],
  ratio: [0.5, 0, 1, 2, '1'],
  step: [2, 3, 4.5, 0],
  pattern: ['abc', 'ABC', '', 5, []],
  flag: [true, false, 'true', null],
  nothing: ['x', null, 1],
  color: ['red', 'blue', null, 3],
  date: ['2024-01-31', '2024-02-31', 'x', 5],
  time: ['2024-01-31T10:00:00Z', '2024-01-31', 'x'],
  address: ['10.0.0.1', '10.0.0.256', '::1'],
  mail: ['a@b.c', 'no mail'],
  bytes: ['aGk=', '***'],
  either: [1, 'x', true, null, {}, 1.5],
  percent: [5, '5%', 'x', []],
  labels: [{}, { a: 'x' }, { a: 'long' }, { a: 'x', b: 'y', c: 'z' }, { a: 1 }, { a: null }, [], 'x'],
  counts: [{ a: 1 }, { a: 'x' }, { a: null }],
  set: [['a', 'b'], ['a', 'a'], [], ['a', 'b', 'c', 'd', 'e'], ['a', 1], [null], 'x'],
  nodes: [
    [{ name: 'a' }],
    [{ name: 'a' }, { name: 'b', port: 1, protocol: 'UDP' }],
    [{ name: 'a' }, { name: 'a' }],
    [{ port: 1 }],
    [{ name: 'toolong' }],
    [{ name: '' }],
    [{ name: 'a', foo: 1 }],
    [{ name: 'a', protocol: 'X' }],
    [1],
    [null],
  ],
  ports: [[{ port: 1 }], [{ port: 1 }, { port: 1, protocol: 'UDP' }], [{ port: 1 }, { port: 1 }], [{}]],
  list: [[1, 2], [], [-1], ['x'], {}, null],
  deep: [{}, { a: {} }, { a: { b: 1 } }, { a: null }, { a: { b: null } }, { a: { c: 1 } }],
  whole: [{ x: 1, y: 2 }, { x: 1 }, { z: 1 }],
  open: [{}, { a: { b: [1] } }, { a: null }, 'x'],
  half: [{ known: 1, other: { x: 1 } }, { known: 'x' }, { other: [1, 2] }],
  one: [{ a: 1 }, { b: 1 }, { a: 1, b: 1 }, {}],
  any: [{ a: 1 }, {}, { a: 'x' }],
  all: [2, 3, 5, 1],
  template: [
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { any: 1 } },
    { kind: 'Pod' },
    { apiVersion: 'v1', kind: '' },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'UPPER' } },
    { apiVersion: 'a/b/c', kind: 'Pod' },
    {},
  ],
  rules: [
    { low: 1, high: 2 },
    { low: 3, high: 2 },
    { names: ['n1'] },
    { names: ['x', 'n'] },
    { map: { a: 1 } },
    { map: { a: 0 } },
    { when: '2031-01-01T00:00:00Z' },
    { when: '2024-01-01T00:00:00Z' },
    { port: 5 },
    { port: 'x' },
    { high: 0 },
    { once: 'a' },
    { once: 'b' },
    {},
  ],
  immutable: ['a', 'b'],
  short: ['ab', 'abcdef'],
  unknown: [1, {}],
}
