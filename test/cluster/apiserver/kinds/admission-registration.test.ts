/** Configurations of webhooks, policies and their bindings through the HTTP door. */
import test from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const GROUP = '/apis/admissionregistration.k8s.io/v1'

const rule = { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }

// The label keeps what a test registers from the other tests of the file.
const selector = { matchLabels: { nobody: 'has' } }

const webhook = {
  name: 'a.example.com',
  clientConfig: { service: { namespace: 'default', name: 'hook', path: '/admit' } },
  rules: [rule],
  objectSelector: selector,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}

const defaulted = {
  clientConfig: { service: { namespace: 'default', name: 'hook', path: '/admit', port: 443 } },
  rules: [{ ...rule, scope: '*' }],
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  timeoutSeconds: 10,
}

kindDoor(test, [
  {
    path: `${GROUP}/mutatingwebhookconfigurations`,
    good: { webhooks: [webhook] },
    defaults: { webhooks: [{ ...defaulted, reinvocationPolicy: 'Never' }] },
    invalid: [
      [
        'a name that is no domain, twice, and a server that is two',
        body => {
          body.webhooks = [
            { ...webhook, name: 'short' },
            { ...webhook, name: 'short', clientConfig: { ...webhook.clientConfig, url: 'https://127.0.0.1/' } },
          ]
        },
        [
          'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
          'webhooks[1].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
          'webhooks[1].clientConfig: Required value: exactly one of url or service is required',
          'webhooks[1].name: Duplicate value: "short"',
        ],
      ],
      [
        'a URL that says too much, a timeout that is too long, versions that nobody speaks',
        body => {
          Object.assign(body.webhooks[0], {
            clientConfig: { url: 'http://me@127.0.0.1/?a=b#c' },
            timeoutSeconds: 31,
            admissionReviewVersions: ['v7', 'v7'],
            sideEffects: 'Some',
          })
        },
        [
          'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
          'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
          'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
          'webhooks[0].clientConfig.url: Invalid value: "me": user information is not permitted in the URL',
          'webhooks[0].clientConfig.url: Invalid value: "c": fragments are not permitted in the URL',
          'webhooks[0].clientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL',
          'webhooks[0].admissionReviewVersions[1]: Invalid value: "v7": duplicate version',
          'webhooks[0].admissionReviewVersions: Invalid value: ["v7","v7"]: must include at least one of v1, v1beta1',
        ],
      ],
      [
        'rules with stars and more',
        body => {
          body.webhooks[0].rules = [
            {
              operations: ['*', 'CREATE'],
              apiGroups: [],
              apiVersions: [''],
              resources: ['pods/*', 'pods/status', '*', 'services'],
            },
          ]
        },
        [
          'webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
          'webhooks[0].rules[0].apiGroups: Required value',
          'webhooks[0].rules[0].apiVersions[0]: Required value',
          'webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status',
          'webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/status","*","services"]: if \'*\' is present, must not specify other resources without subresources',
        ],
      ],
    ],
    cells: { Webhooks: 1 },
  },
  {
    path: `${GROUP}/validatingwebhookconfigurations`,
    good: { webhooks: [webhook, { ...webhook, name: 'b.example.com' }] },
    defaults: { webhooks: [defaulted, defaulted] },
    cells: { Webhooks: 2 },
  },
  {
    path: `${GROUP}/validatingadmissionpolicies`,
    good: {
      metadata: { name: 'x.example.com' },
      spec: {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConstraints: { resourceRules: [rule], objectSelector: selector },
        validations: [{ expression: 'object.spec.replicas <= 3' }, { expression: 'true', reason: 'Forbidden' }],
      },
    },
    defaults: {
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          resourceRules: [{ ...rule, scope: '*' }],
        },
      },
    },
    invalid: [
      [
        'nothing to match, nothing to ask, parameters of no kind',
        body => {
          body.spec = { paramKind: { apiVersion: 'a/b/c', kind: 'No Kind' }, failurePolicy: 'Maybe' }
        },
        [
          'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
          "spec.paramKind.kind: Invalid value: \"No Kind\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
          'spec.matchConstraints: Required value',
          'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
          'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
          'spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
        ],
      ],
      [
        'a message of two lines, a reason that is none, an annotation without value, twice',
        body => {
          body.spec.validations = [{ expression: 'true', message: 'a\nb', reason: 'Whim' }]
          body.spec.auditAnnotations = [
            { key: 'k', valueExpression: ' ' },
            { key: 'k', valueExpression: "'v'" },
          ]
        },
        [
          'spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks',
          'spec.validations[0].reason: Unsupported value: "Whim": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
          'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
          'spec.auditAnnotations[1].key: Duplicate value: "k"',
        ],
      ],
    ],
    cells: { Validations: 2, ParamKind: 'v1/ConfigMap' },
  },
  {
    path: `${GROUP}/validatingadmissionpolicybindings`,
    good: {
      spec: {
        policyName: 'x.example.com',
        paramRef: { namespace: 'default', name: 'p', parameterNotFoundAction: 'Allow' },
        matchResources: { objectSelector: selector },
        validationActions: ['Deny'],
      },
    },
    defaults: { spec: { matchResources: { matchPolicy: 'Equivalent', namespaceSelector: {} } } },
    invalid: [
      [
        'neither name nor selector, actions that contradict each other',
        body => {
          body.spec.paramRef = { parameterNotFoundAction: 'Deny' }
          body.spec.validationActions = ['Deny', 'Warn', 'Shout']
        },
        [
          'spec.paramRef: Required value: one of name or selector must be specified',
          'spec.validationActions: Invalid value: ["Deny","Warn","Shout"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
          'spec.validationActions[2]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"',
        ],
      ],
    ],
    cells: { PolicyName: 'x.example.com', ParamRef: 'default/p' },
  },
])
