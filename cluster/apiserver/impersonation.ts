/**
 * Acting as another user (`kubectl --as`): headers that name a user, groups, a uid and extra; each of them needs the
 * right to impersonate it (Kubernetes documentation, "User impersonation").
 */
import { internalError, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import {
  ANONYMOUS,
  AUTHENTICATED,
  authenticatedGroups,
  parseServiceAccountUser,
  serviceAccountGroups,
  UNAUTHENTICATED,
  type User,
} from './authenticator.ts'
import type { Attributes, Decision, ResourceAttributes } from './authorizer.ts'
import type { Request } from './http/exchange.ts'
import { forbiddenRequest } from './http/forbidden.ts'

interface Wanted {
  user: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

const PREFIX = 'impersonate-'
const EXTRA = 'impersonate-extra-'

const decodeKey = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Undefined: the request acts as nobody else. Header by header: groups may hold commas. */
const readHeaders = (request: Request): Wanted | undefined => {
  const wanted: Wanted = { user: '', uid: '', groups: [], extra: Object.create(null) }
  let found = false
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]!.toLowerCase()
    const value = request.rawHeaders[index + 1]!
    if (!name.startsWith(PREFIX)) continue
    found = true
    if (name === 'impersonate-user') wanted.user = value
    else if (name === 'impersonate-uid') wanted.uid = value
    else if (name === 'impersonate-group') wanted.groups.push(value)
    else if (name.startsWith(EXTRA))
      (wanted.extra[decodeKey(name.slice(EXTRA.length)).toLowerCase()] ??= []).push(value)
  }
  return found && (wanted.user || wanted.uid || wanted.groups.length || Object.keys(wanted.extra).length)
    ? wanted
    : undefined
}

const asked = (part: Partial<ResourceAttributes>): ResourceAttributes => ({
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  ...part,
})

const AUTHENTICATION = 'authentication.k8s.io'

/** What must be allowed, one after the other. */
const rightsOf = ({ user, uid, groups, extra }: Wanted): readonly ResourceAttributes[] => {
  const account = parseServiceAccountUser(user)
  return [
    account ? asked({ resource: 'serviceaccounts', ...account }) : asked({ resource: 'users', name: user }),
    ...groups.map(name => asked({ resource: 'groups', name })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(name => asked({ group: AUTHENTICATION, resource: 'userextras', subresource: key, name })),
    ),
    ...(uid === '' ? [] : [asked({ group: AUTHENTICATION, resource: 'uids', name: uid })]),
  ]
}

const groupsOf = ({ user, groups }: Wanted): readonly string[] => {
  const account = parseServiceAccountUser(user)
  const given = account && groups.length === 0 ? serviceAccountGroups(account.namespace) : groups
  if (given.includes(AUTHENTICATED) || given.includes(UNAUTHENTICATED)) return given
  return user === ANONYMOUS ? [...given, UNAUTHENTICATED] : authenticatedGroups(given)
}

/** Who the request is to be answered as. Refused: 403 for what the user may not impersonate, 500 for headers without a user. */
export const impersonate = async (
  user: User,
  request: Request,
  decide: (attributes: Attributes) => Promise<Decision>,
): Promise<Result<User, Status>> => {
  const wanted = readHeaders(request)
  if (!wanted) return accepted(user)
  if (wanted.user === '') return refused(internalError('requested impersonation without impersonating a user name'))
  for (const resource of rightsOf(wanted)) {
    const attributes: Attributes = { user, verb: 'impersonate', path: '', resource }
    const { decision, reason } = await decide(attributes)
    if (decision !== 'allow') return refused(forbiddenRequest(attributes, reason))
  }
  return accepted({
    name: wanted.user,
    groups: groupsOf(wanted),
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}),
  })
}
