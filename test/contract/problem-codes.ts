export interface ContractProblem {
  readonly status: number;
  readonly outcome: 'not-sent' | 'not-stopped' | 'unknown';
  /** The headers of the response in addition to those of every problem. No other problem has them. */
  readonly headers: readonly ('allow' | 'retry-after' | 'www-authenticate')[];
}

/** Every problem code of the gateway, in the order of `GET /problems`. */
export const PROBLEM_CODES: Readonly<Record<string, ContractProblem>> = {
  'invalid-request': { status: 400, outcome: 'not-sent', headers: [] },
  'sdk-app-id-rejected': { status: 400, outcome: 'not-stopped', headers: [] },
  unauthenticated: { status: 401, outcome: 'not-sent', headers: ['www-authenticate'] },
  'sdk-app-id-not-allowed': { status: 403, outcome: 'not-sent', headers: [] },
  'route-not-found': { status: 404, outcome: 'not-sent', headers: [] },
  'task-not-found': { status: 404, outcome: 'not-stopped', headers: [] },
  'stop-not-found': { status: 404, outcome: 'not-sent', headers: [] },
  'method-not-allowed': { status: 405, outcome: 'not-sent', headers: ['allow'] },
  'request-timeout': { status: 408, outcome: 'not-sent', headers: [] },
  'content-too-large': { status: 413, outcome: 'not-sent', headers: [] },
  'quota-exhausted': { status: 429, outcome: 'not-sent', headers: ['retry-after'] },
  'share-exhausted': { status: 429, outcome: 'not-sent', headers: ['retry-after'] },
  'backlog-full': { status: 429, outcome: 'not-sent', headers: ['retry-after'] },
  'request-header-fields-too-large': { status: 431, outcome: 'not-sent', headers: [] },
  'internal-error': { status: 500, outcome: 'unknown', headers: [] },
  'upstream-refused-gateway': { status: 502, outcome: 'not-stopped', headers: [] },
  'upstream-rejected': { status: 502, outcome: 'not-stopped', headers: [] },
  'upstream-unreachable': { status: 502, outcome: 'not-sent', headers: [] },
  'upstream-failed': { status: 502, outcome: 'unknown', headers: [] },
  'upstream-unavailable': { status: 503, outcome: 'not-sent', headers: ['retry-after'] },
  'quota-unavailable': { status: 503, outcome: 'not-sent', headers: ['retry-after'] },
  'stops-unavailable': { status: 503, outcome: 'not-sent', headers: ['retry-after'] },
  'shutting-down': { status: 503, outcome: 'not-sent', headers: ['retry-after'] },
  'upstream-throttled': { status: 503, outcome: 'not-stopped', headers: ['retry-after'] },
  'upstream-timeout': { status: 504, outcome: 'unknown', headers: [] },
};
