/** What is known about the task when a call ends in a problem. */
export type Outcome =
  /** Nothing left the gateway. */
  | 'not-sent'
  /** The cloud refused. */
  | 'not-stopped'
  /** It may have been stopped; repeating the DELETE is safe. */
  | 'unknown';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

/** Every way in which a call can end but success: the one place where a status code is decided. */
export const PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    outcome: 'not-sent',
    detail: 'The request is malformed; errors lists every fault.',
  },
  'sdk-app-id-rejected': {
    status: 400,
    title: 'SdkAppId rejected',
    outcome: 'not-stopped',
    detail: 'The cloud does not know the sdkAppId given, or it is not of this account.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key',
    outcome: 'not-sent',
    detail: 'The call needs a key that the gateway knows: Authorization: Bearer <key>.',
  },
  'sdk-app-id-not-allowed': {
    status: 403,
    title: 'SdkAppId not allowed',
    outcome: 'not-sent',
    detail: 'The key given may not be used for this SdkAppId.',
  },
  'route-not-found': {
    status: 404,
    title: 'No such route',
    outcome: 'not-sent',
    detail: 'There is nothing at this path.',
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
    detail: 'This path does not take this method; the Allow header lists those it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    outcome: 'not-sent',
    detail: 'The request did not arrive in time.',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    outcome: 'not-sent',
    detail: 'The request carries a body over the limit; a stop takes none.',
  },
  'quota-exhausted': {
    status: 429,
    title: 'Quota exhausted',
    outcome: 'not-sent',
    detail: 'Every call that the cloud allows in this second is taken; repeat after Retry-After.',
  },
  'share-exhausted': {
    status: 429,
    title: 'Fair share exhausted',
    outcome: 'not-sent',
    detail: 'The caller uses its fair share of the calls that the cloud allows; repeat after Retry-After.',
  },
  'request-header-fields-too-large': {
    status: 431,
    title: 'Request header fields too large',
    outcome: 'not-sent',
    detail: 'The request line and the headers exceed the limit.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    outcome: 'unknown',
    detail: 'A fault of the gateway. Repeating the DELETE is safe.',
  },
  'upstream-refused-gateway': {
    status: 502,
    title: 'The cloud refused the gateway',
    outcome: 'not-stopped',
    detail: "The cloud does not accept the gateway's credentials or configuration; its operators must act.",
  },
  'upstream-rejected': {
    status: 502,
    title: 'The cloud rejected the call',
    outcome: 'not-stopped',
    detail: 'The cloud refused the call for a reason that the caller cannot mend; see upstream.code.',
  },
  'upstream-unreachable': {
    status: 502,
    title: 'The cloud is unreachable',
    outcome: 'not-sent',
    detail: 'No connection to the cloud could be made.',
  },
  'upstream-failed': {
    status: 502,
    title: 'The cloud failed',
    outcome: 'unknown',
    detail:
      'The cloud gave no definite answer: the task may have been stopped. Repeating the DELETE is safe.',
  },
  'upstream-unavailable': {
    status: 503,
    title: 'The cloud is unavailable',
    outcome: 'not-sent',
    detail:
      'The gateway does not call the cloud now: it has failed too often, or there are no valid credentials. Repeat after Retry-After.',
  },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    outcome: 'not-sent',
    detail: 'This replica is leaving; repeat the call and another one answers.',
  },
  'upstream-throttled': {
    status: 503,
    title: 'The cloud is throttling',
    outcome: 'not-stopped',
    detail: 'The cloud refused the call as one too many; something else may be using the account.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The cloud did not answer in time',
    outcome: 'unknown',
    detail:
      'The call was sent and not answered: the task may have been stopped. Repeating the DELETE is safe.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;
