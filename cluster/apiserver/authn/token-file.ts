/**
 * Tokens that a file lists, one a line: `token,user,uid[,"group,group"]` (kube-apiserver's --token-auth-file; CSV as
 * RFC 4180 has it). Read once, at the start.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SeamarkError } from '#lib/errors.ts'
import { authenticatedGroups, type TokenAuthenticator, type User } from '../authenticator.ts'

const FIELD = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(,|$)/y

/** Undefined: no line of CSV. */
const fieldsOf = (line: string): string[] | undefined => {
  const fields: string[] = []
  FIELD.lastIndex = 0
  for (;;) {
    const match = FIELD.exec(line)
    if (!match) return undefined
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!.trim())
    if (match[3] === '') return fields
  }
}

/** Equal time for all tokens: what is looked up is no token, but its hash. */
const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64')

const readUsers = (path: string): ReadonlyMap<string, User> => {
  const bad = (detail: string, cause?: unknown) =>
    new SeamarkError('BAD_OPTION', `--token-auth-file: ${detail}`, { cause })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw bad(`${path} cannot be read: ${(cause as Error).message}`, cause)
  }
  const users = new Map<string, User>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const [token = '', name = '', uid = '', groups = ''] = fieldsOf(line) ?? []
    if (token === '' || name === '') throw bad(`${path}:${index + 1}: wants "token,user,uid", and groups if any`)
    const list = groups.split(',').filter(group => group !== '')
    users.set(keyOf(token), { name, ...(uid ? { uid } : {}), groups: authenticatedGroups(list) })
  }
  return users
}

/** @throws SeamarkError BAD_OPTION */
export const createTokenFileAuthenticator = (path: string): TokenAuthenticator => {
  const users = readUsers(path)
  return {
    name: 'token-file',
    authenticateToken(token) {
      const user = users.get(keyOf(token))
      return user ? { user } : 'none'
    },
  }
}
