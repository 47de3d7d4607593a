/**
 * node:http without undici. An `import` of it reads all that it exports, which loads Node's whole fetch: 40 ms of every
 * start and 14 MB that stay (docs/decisions/0019-start.md). Types come from node:http itself.
 */
export const { Agent, createServer, get, METHODS, request } = process.getBuiltinModule('node:http')
