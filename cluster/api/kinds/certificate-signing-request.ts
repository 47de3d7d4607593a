/** CertificateSigningRequest: somebody's wish for a certificate, what was decided, and the certificate. */
import { humanDuration } from '../age.ts'
import {
  hasCondition,
  type RequestCondition,
  requestSpec,
  requestStatus,
  VERDICTS,
} from '../certificates/certificate-signing-request.ts'
import { validateApproval, validateRequest, validateRequestStatus } from '../certificates/validation.ts'
import { ageColumn, column, orNone } from '../column.ts'
import type { Kind, Requester } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import type { ApiObject } from '../object.ts'

/** Who asks is written down by the apiserver: nobody asks in another's name. */
const recordRequester = (object: ApiObject, requester: Requester | undefined): void => {
  object.spec ??= {}
  const spec = requestSpec(object)
  for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec[field]
  object.status = {}
  if (!requester) return
  const { name, uid, groups, extra = {} } = requester
  spec.username = name
  if (uid !== undefined) spec.uid = uid
  spec.groups = [...groups]
  if (Object.keys(extra).length > 0)
    spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
}

const isVerdict = ({ type = '' }: RequestCondition): boolean => VERDICTS.includes(type)

/** When a condition was last written, and since when it has been so. */
const withTimes = (conditions: readonly RequestCondition[], current: ApiObject, now: string): RequestCondition[] =>
  conditions.map(condition => {
    const known = requestStatus(current).conditions?.find(
      ({ type, status }) => type === condition.type && status === condition.status,
    )
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime || now,
      lastTransitionTime: condition.lastTransitionTime || known?.lastTransitionTime || now,
    }
  })

const setConditions = (object: ApiObject, conditions: readonly RequestCondition[]): void => {
  const { conditions: _conditions, ...status } = requestStatus(object)
  object.status = conditions.length > 0 ? { ...status, conditions } : status
}

/** What was decided stays as it is, unless there is more or less of it: that is validation's to refuse. */
const keepVerdicts = (next: ApiObject, current: ApiObject, now: string): void => {
  const given = requestStatus(next).conditions ?? []
  const before = requestStatus(current).conditions ?? []
  const settled = VERDICTS.filter(type => {
    const count = (conditions: readonly RequestCondition[]) => conditions.filter(each => each.type === type).length
    return count(given) === count(before)
  })
  const conditions = given.map(condition =>
    isVerdict(condition) && settled.includes(condition.type ?? '')
      ? (before.find(({ type }) => type === condition.type) ?? condition)
      : condition,
  )
  setConditions(next, withTimes(conditions, current, now))
}

const conditionText = (object: ApiObject): string => {
  const decided = hasCondition(object, 'Denied') ? 'Denied' : hasCondition(object, 'Approved') ? 'Approved' : 'Pending'
  const failed = hasCondition(object, 'Failed') ? ',Failed' : ''
  return `${decided}${failed}${requestStatus(object).certificate ? ',Issued' : ''}`
}

const durationText = (seconds: number | undefined): string =>
  orNone(seconds === undefined ? undefined : humanDuration(seconds * 1000))

export const certificateSigningRequestKind: Kind = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  categories: [],
  namespaced: false,
  type: 'certificates.k8s.io/v1.CertificateSigningRequest',
  hasStatus: true,
  countsGenerations: false,
  validateName: checkPathSegment,
  prepareForCreate: recordRequester,
  // What was asked for stays what was asked for.
  prepareForUpdate(next, current) {
    next.spec = current.spec
  },
  prepareForStatusUpdate: keepVerdicts,
  validateCreate: validateRequest,
  validateStatusUpdate: validateRequestStatus,
  parts: {
    approval: {
      verbs: ['get', 'patch', 'update'],
      resets: ['spec', 'status.certificate'],
      merge(merged, next, now) {
        setConditions(merged, withTimes(requestStatus(next).conditions ?? [], merged, now))
      },
      validate: validateApproval,
    },
  },
  selectableFields: object => ({ 'spec.signerName': requestSpec(object).signerName ?? '' }),
  selectableFieldNames: ['spec.signerName'],
  columns: [
    ageColumn,
    column('SignerName', 'Who shall sign.', object => requestSpec(object).signerName ?? ''),
    column('Requestor', 'Who asks.', object => requestSpec(object).username ?? ''),
    column('RequestedDuration', 'How long it shall hold.', object =>
      durationText(requestSpec(object).expirationSeconds),
    ),
    column('Condition', 'What was decided.', conditionText),
  ],
}
