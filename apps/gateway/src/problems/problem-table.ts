/** What is known about the task when a request ends in a problem. */
export type Outcome =
  /** Nothing was sent to the cloud. */
  | 'not-sent'
  /** The cloud rejected the call. */
  | 'not-stopped'
  /** The task may have been stopped; a retry is safe. */
  | 'unknown';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

/** Every error response of the gateway: the one place that decides a status code. */
export const PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    outcome: 'not-sent',
    detail: 'The request is not valid; errors lists every error.',
  },
  'sdk-app-id-rejected': {
    status: 400,
    title: 'SdkAppId rejected',
    outcome: 'not-stopped',
    detail: 'The cloud does not know this sdkAppId, or it belongs to another account.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key',
    outcome: 'not-sent',
    detail: 'This request requires a valid key: Authorization: Bearer <key>.',
  },
  'sdk-app-id-not-allowed': {
    status: 403,
    title: 'SdkAppId not allowed',
    outcome: 'not-sent',
    detail: 'Your key may not use this SdkAppId.',
  },
  'route-not-found': {
    status: 404,
    title: 'Route not found',
    outcome: 'not-sent',
    detail: 'No route has this path.',
  },
  'task-not-found': {
    status: 404,
    title: 'Task not found',
    outcome: 'not-stopped',
    detail: 'The cloud knows no such task for this SdkAppId.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    outcome: 'not-sent',
    detail: 'This path does not support this method; the Allow header lists the methods that it supports.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    outcome: 'not-sent',
    detail: 'The request did not arrive completely in time.',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    outcome: 'not-sent',
    detail: 'The request has a body over the limit; no body is allowed.',
  },
  'quota-exhausted': {
    status: 429,
    title: 'Quota exhausted',
    outcome: 'not-sent',
    detail: 'No quota slot is free; retry after the delay in Retry-After.',
  },
  'share-exhausted': {
    status: 429,
    title: 'Fair share exhausted',
    outcome: 'not-sent',
    detail: 'You use your fair share of the quota; retry after the delay in Retry-After.',
  },
  'request-header-fields-too-large': {
    status: 431,
    title: 'Request header fields too large',
    outcome: 'not-sent',
    detail: 'The request line and the headers together exceed the limit.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    outcome: 'unknown',
    detail: 'An unexpected error occurred in the gateway: the task may have been stopped. A retry is safe.',
  },
  'upstream-refused-gateway': {
    status: 502,
    title: 'The cloud rejected the gateway',
    outcome: 'not-stopped',
    detail: "The cloud rejects the gateway's credentials or configuration; only its operators can fix this.",
  },
  'upstream-rejected': {
    status: 502,
    title: 'The cloud rejected the call',
    outcome: 'not-stopped',
    detail: 'The cloud rejected the call for a reason that you cannot fix; see upstream.code.',
  },
  'upstream-unreachable': {
    status: 502,
    title: 'The cloud is unreachable',
    outcome: 'not-sent',
    detail: 'The gateway could not connect to the cloud.',
  },
  'upstream-failed': {
    status: 502,
    title: 'The cloud failed',
    outcome: 'unknown',
    detail: 'The cloud sent no usable response: the task may have been stopped. A retry is safe.',
  },
  'upstream-unavailable': {
    status: 503,
    title: 'The cloud is unavailable',
    outcome: 'not-sent',
    detail: 'The gateway does not call the cloud at the moment; retry after the delay in Retry-After.',
  },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    outcome: 'not-sent',
    detail: 'This replica is draining; retry, and another replica responds.',
  },
  'upstream-throttled': {
    status: 503,
    title: 'The cloud throttled the call',
    outcome: 'not-stopped',
    detail: 'The cloud throttled the call; another program may use the same account.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The cloud did not respond in time',
    outcome: 'unknown',
    detail:
      'The call was sent, and no response arrived in time: the task may have been stopped. A retry is safe.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;
