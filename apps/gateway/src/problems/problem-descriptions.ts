import { type Outcome, PROBLEMS, type ProblemCode } from './problem-table.js';

/** What is known about the task, in a sentence. */
export const OUTCOMES: Record<Outcome, string> = {
  'not-sent': 'Nothing was sent to the cloud: the state of the task has not changed.',
  'not-stopped': 'The cloud rejected the call: this request did not stop the task.',
  unknown: 'The task may have been stopped. A retry is safe, and its response gives the result.',
};

interface Description {
  readonly meaning: string;
  readonly resolution: string;
}

const RETRY_LATER =
  'Retry after `Retry-After` seconds, or let the gateway wait for you with `Prefer: wait=<seconds>`.';

const RETRY_WITH_BACKOFF =
  'Retry with increasing delays. If the task has ended in the meantime, the response is 200.';

/** The explanation of every problem, for the OpenAPI document and the problem pages. Backquotes mark code. */
export const DESCRIPTIONS: Record<ProblemCode, Description> = {
  'invalid-request': {
    meaning:
      'The path, the query or a header of the request is not valid, or the request has a body, which is not allowed. ' +
      'Each entry of `errors` describes one error and its location.',
    resolution: 'Fix all listed errors; an unchanged retry will fail.',
  },
  'sdk-app-id-rejected': {
    meaning: 'The cloud does not know the `sdkAppId` of the request, or it belongs to another account.',
    resolution: 'Check `sdkAppId`, or omit it to use the default of the gateway.',
  },
  unauthenticated: {
    meaning:
      'The request has no key, or a key that the gateway does not know. The gateway did not check the rest of the request.',
    resolution:
      'Send `Authorization: Bearer <key>` with a key that you received from the operators of the gateway. ' +
      'Do not retry with a rejected key: after three failures, responses to wrong keys are delayed.',
  },
  'sdk-app-id-not-allowed': {
    meaning:
      'The key is valid, but it may not use this SdkAppId. The same rule applies to the default SdkAppId.',
    resolution:
      'Use a key that allows this SdkAppId, or ask the operators of the gateway to allow it for your key.',
  },
  'route-not-found': {
    meaning: 'No route of the gateway has this path.',
    resolution: 'Check the path. In a task id, write `/` as `%2F`. See `/docs` for all routes.',
  },
  'task-not-found': {
    meaning:
      'The cloud knows no such task for this SdkAppId: it never existed, ended long ago, or belongs to another SdkAppId.',
    resolution:
      'Check the task id, which is case-sensitive, and `sdkAppId`. If the task existed, it no longer runs, and ' +
      'there is nothing to stop.',
  },
  'method-not-allowed': {
    meaning: 'The path exists, but it does not support this method.',
    resolution: 'Use a method that the `Allow` header lists.',
  },
  'request-timeout': {
    meaning:
      'The headers or the body of the request did not arrive completely in time. The gateway closes the connection.',
    resolution: 'Send the request again over a new connection.',
  },
  'content-too-large': {
    meaning: 'The request has a body over the limit. No route of the gateway requires a body.',
    resolution: 'Send the request without a body: all parameters are in the path, the query and the headers.',
  },
  'quota-exhausted': {
    meaning: 'All quota slots are in use, by all callers together.',
    resolution: RETRY_LATER,
  },
  'share-exhausted': {
    meaning:
      'You already use your fair share of the quota, and other callers need the remaining slots. ' +
      'Calls within your share are still served.',
    resolution: `${RETRY_LATER} Spread bulk work over time.`,
  },
  'request-header-fields-too-large': {
    meaning: 'The request line and the headers together exceed 16 KiB. The gateway closes the connection.',
    resolution: 'Send fewer or shorter headers; an unchanged retry will fail.',
  },
  'internal-error': {
    meaning: 'An unexpected error occurred in the gateway.',
    resolution: 'Retry once. If the retry fails, report the `X-Request-Id` to the operators of the gateway.',
  },
  'upstream-refused-gateway': {
    meaning:
      'The cloud rejects the credentials or the default SdkAppId of the gateway. Your request did not cause this error.',
    resolution:
      'Report `upstream.code` and `upstream.requestId` to the operators of the gateway. Until they fix the error, ' +
      'a retry will fail.',
  },
  'upstream-rejected': {
    meaning: 'The cloud rejected the call. `upstream.code` gives the reason.',
    resolution:
      'Look up `upstream.code` in the documentation of Tencent RTC, or report it with `upstream.requestId` to the ' +
      'operators of the gateway. An unchanged retry will fail.',
  },
  'upstream-unreachable': {
    meaning: 'The gateway could not connect to the cloud, even after retries.',
    resolution:
      'Retry later. If the error persists, report it to the operators of the gateway: name resolution, the network ' +
      'or TLS has failed.',
  },
  'upstream-failed': {
    meaning:
      'The gateway called the cloud, with retries where they were possible, and received no usable response.',
    resolution: RETRY_WITH_BACKOFF,
  },
  'upstream-unavailable': {
    meaning:
      'The gateway does not call the cloud at the moment: too many calls have failed, the gateway has no valid ' +
      'credentials, or it cannot share the quota with the other replicas.',
    resolution:
      'Retry after `Retry-After` seconds. If the error persists, report it to the operators of the gateway.',
  },
  'shutting-down': {
    meaning: 'This replica is draining, for example during an upgrade.',
    resolution: 'Retry after `Retry-After` seconds over a new connection: another replica responds.',
  },
  'upstream-throttled': {
    meaning:
      'The cloud throttled the call, although the gateway keeps to the quota: another program uses the same account.',
    resolution:
      'Retry after `Retry-After` seconds. If the error persists, ask the operators of the gateway to find the other program.',
  },
  'upstream-timeout': {
    meaning: 'The gateway sent the call to the cloud, and no response arrived in time.',
    resolution: RETRY_WITH_BACKOFF,
  },
};

/** The response of `GET /problems/{code}`. */
export interface ProblemDescription extends Description {
  readonly code: ProblemCode;
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly outcome: Outcome;
  readonly outcomeMeaning: string;
}

export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

export function describeProblem(code: ProblemCode): ProblemDescription {
  const { status, title, outcome } = PROBLEMS[code];
  return {
    code,
    type: `/problems/${code}`,
    status,
    title,
    outcome,
    outcomeMeaning: OUTCOMES[outcome],
    ...DESCRIPTIONS[code],
  };
}
