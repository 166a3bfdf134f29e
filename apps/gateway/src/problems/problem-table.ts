/** What is known about the task when a request ends in a problem, in a sentence. */
export const OUTCOMES = {
  'not-sent': 'Nothing was sent to the cloud: the state of the task has not changed.',
  'not-stopped': 'The cloud rejected the call: this request did not stop the task.',
  unknown: 'The task may have been stopped. A retry is safe, and its response gives the result.',
} as const;

export type Outcome = keyof typeof OUTCOMES;

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly outcome: Outcome;
  /** What happened. */
  readonly detail: string;
  /** What the caller can do. Backquotes mark code. */
  readonly resolution: string;
}

const RETRY_LATER =
  'Retry after `Retry-After` seconds, or let the gateway wait for you with `Prefer: wait=<seconds>`.';

const RETRY_WITH_BACKOFF =
  'Retry with increasing delays. If the task has ended in the meantime, the response is 200.';

/** Every error response of the gateway: the status and the text of each problem. */
export const PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    outcome: 'not-sent',
    detail: 'The request is not valid; errors lists every error.',
    resolution: 'Fix all listed errors; an unchanged retry will fail.',
  },
  'sdk-app-id-rejected': {
    status: 400,
    title: 'SdkAppId rejected',
    outcome: 'not-stopped',
    detail: 'The cloud does not know the sdkAppId of the request, or it belongs to another account.',
    resolution: 'Check `sdkAppId`, or omit it to use the default of the gateway.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key',
    outcome: 'not-sent',
    detail: 'The request has no key, or a key that the gateway does not know.',
    resolution:
      'Send `Authorization: Bearer <key>` with a key that you received from the operators of the gateway. ' +
      'Do not retry with a rejected key: after three failures, responses to wrong keys are delayed.',
  },
  'sdk-app-id-not-allowed': {
    status: 403,
    title: 'SdkAppId not allowed',
    outcome: 'not-sent',
    detail: 'The key is valid, but it may not use this SdkAppId.',
    resolution:
      'Use a key that allows this SdkAppId, or ask the operators of the gateway to allow it for your key. ' +
      'The same rule applies to the default SdkAppId.',
  },
  'route-not-found': {
    status: 404,
    title: 'Route not found',
    outcome: 'not-sent',
    detail: 'No route of the gateway has this path.',
    resolution: 'Check the path. In a task id, write `/` as `%2F`. See `/docs` for all routes.',
  },
  'task-not-found': {
    status: 404,
    title: 'Task not found',
    outcome: 'not-stopped',
    detail: 'The cloud knows no such task for this SdkAppId.',
    resolution:
      'Check the task id, which is case-sensitive, and `sdkAppId`. If the task existed, it no longer runs, and ' +
      'there is nothing to stop.',
  },
  'stop-not-found': {
    status: 404,
    title: 'Stop not found',
    outcome: 'not-sent',
    detail: 'You have no asynchronous stop with this id.',
    resolution:
      'Use the `Location` of the response that accepted the stop, with the key of the same caller. Finished stops are ' +
      'kept for 24 hours, and at most 10,000 of a caller.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    outcome: 'not-sent',
    detail: 'The path exists, but it does not support this method.',
    resolution: 'Use a method that the `Allow` header lists.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    outcome: 'not-sent',
    detail: 'The request did not arrive completely in time. The gateway closes the connection.',
    resolution: 'Send the request again over a new connection.',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    outcome: 'not-sent',
    detail: 'The request has a body over the limit; no body is allowed.',
    resolution: 'Send the request without a body: all parameters are in the path, the query and the headers.',
  },
  'quota-exhausted': {
    status: 429,
    title: 'Quota exhausted',
    outcome: 'not-sent',
    detail: 'All quota slots are in use, by all callers together.',
    resolution: RETRY_LATER,
  },
  'share-exhausted': {
    status: 429,
    title: 'Fair share exhausted',
    outcome: 'not-sent',
    detail: 'You use your fair share of the quota, and other callers need the remaining slots.',
    resolution: `${RETRY_LATER} Spread bulk work over time.`,
  },
  'backlog-full': {
    status: 429,
    title: 'Backlog full',
    outcome: 'not-sent',
    detail: 'Too many of your asynchronous stops are pending: this stop was not accepted.',
    resolution:
      'Retry after `Retry-After` seconds, when some have finished. `GET /stops?status=pending` lists them.',
  },
  'request-header-fields-too-large': {
    status: 431,
    title: 'Request header fields too large',
    outcome: 'not-sent',
    detail: 'The request line and the headers together exceed 16 KiB. The gateway closes the connection.',
    resolution: 'Send fewer or shorter headers; an unchanged retry will fail.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    outcome: 'unknown',
    detail: 'An unexpected error occurred in the gateway: the task may have been stopped. A retry is safe.',
    resolution: 'Retry once. If the retry fails, report the `X-Request-Id` to the operators of the gateway.',
  },
  'upstream-refused-gateway': {
    status: 502,
    title: 'The cloud rejected the gateway',
    outcome: 'not-stopped',
    detail: 'The cloud rejects the credentials or the default SdkAppId of the gateway.',
    resolution:
      'Report `upstream.code` and `upstream.requestId` to the operators of the gateway. Until they fix the error, ' +
      'a retry will fail.',
  },
  'upstream-rejected': {
    status: 502,
    title: 'The cloud rejected the call',
    outcome: 'not-stopped',
    detail: 'The cloud rejected the call; upstream.code gives the reason.',
    resolution:
      'Look up `upstream.code` in the documentation of Tencent RTC, or report it with `upstream.requestId` to the ' +
      'operators of the gateway. An unchanged retry will fail.',
  },
  'upstream-unreachable': {
    status: 502,
    title: 'The cloud is unreachable',
    outcome: 'not-sent',
    detail: 'The gateway could not connect to the cloud, even after retries.',
    resolution:
      'Retry later. If the error persists, report it to the operators of the gateway: name resolution, the network ' +
      'or TLS has failed.',
  },
  'upstream-failed': {
    status: 502,
    title: 'The cloud failed',
    outcome: 'unknown',
    detail: 'The cloud sent no usable response: the task may have been stopped. A retry is safe.',
    resolution: RETRY_WITH_BACKOFF,
  },
  'upstream-unavailable': {
    status: 503,
    title: 'The cloud is unavailable',
    outcome: 'not-sent',
    detail:
      'The gateway does not call the cloud at the moment: too many calls have failed, or the gateway has no valid ' +
      'credentials.',
    resolution:
      'Retry after `Retry-After` seconds. If the error persists, report it to the operators of the gateway.',
  },
  'quota-unavailable': {
    status: 503,
    title: 'The quota is unavailable',
    outcome: 'not-sent',
    detail:
      'This replica cannot reach the Redis that holds the quota of all replicas, and it has no slots of its own.',
    resolution:
      'Retry after `Retry-After` seconds: another replica may respond. If the error persists, report it to the ' +
      'operators of the gateway.',
  },
  'stops-unavailable': {
    status: 503,
    title: 'Stops unavailable',
    outcome: 'not-sent',
    detail: 'The gateway cannot read asynchronous stops at the moment. Accepted stops are not lost.',
    resolution:
      'Retry after `Retry-After` seconds. If the error persists, report it to the operators of the gateway.',
  },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    outcome: 'not-sent',
    detail: 'This replica is draining, for example during an upgrade.',
    resolution: 'Retry after `Retry-After` seconds over a new connection: another replica responds.',
  },
  'upstream-throttled': {
    status: 503,
    title: 'The cloud throttled the call',
    outcome: 'not-stopped',
    detail: 'The cloud throttled the call, although the gateway keeps to the quota.',
    resolution:
      'Retry after `Retry-After` seconds. If the error persists, another program uses the same sub-account: ask the ' +
      'operators of the gateway to find it.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The cloud did not respond in time',
    outcome: 'unknown',
    detail:
      'The call was sent, and no response arrived in time: the task may have been stopped. A retry is safe.',
    resolution: RETRY_WITH_BACKOFF,
  },
} as const satisfies Record<string, Problem>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** Describes a problem: the response of `GET /problems/{code}`. */
export function describeProblem(code: ProblemCode) {
  const { status, title, outcome, detail, resolution } = PROBLEMS[code];
  const type = `/problems/${code}`;
  return {
    code,
    type,
    status,
    title,
    outcome,
    outcomeMeaning: OUTCOMES[outcome],
    meaning: detail,
    resolution,
  };
}

export type ProblemDescription = ReturnType<typeof describeProblem>;
