import { type Outcome, PROBLEMS, type ProblemCode } from './problem-table.js';

/** What is known about the task, in a sentence. */
export const OUTCOMES: Record<Outcome, string> = {
  'not-sent': 'Nothing was sent to the cloud: the task is as it was.',
  'not-stopped': 'The cloud refused: the task was not stopped by this call.',
  unknown: 'The task may have been stopped. Repeating the DELETE is safe, and its answer tells.',
};

interface Description {
  readonly meaning: string;
  readonly resolution: string;
}

/** Every problem of the table in words for whoever meets it. Documentation and pages have their text from here. */
export const DESCRIPTIONS: Record<ProblemCode, Description> = {
  'invalid-request': {
    meaning:
      'The request itself is at fault: its path, its query, a header, or a body where none is taken. ' +
      'Each entry of `errors` names one fault and where it is.',
    resolution: 'Mend every fault listed and send the request again. As it is, it will always be refused.',
  },
  'sdk-app-id-rejected': {
    meaning: 'The cloud does not know the `sdkAppId` given, or it belongs to another account.',
    resolution: 'Check `sdkAppId`, or leave it out to use the one that the gateway is configured with.',
  },
  unauthenticated: {
    meaning:
      'The request carries no key, or one that the gateway does not know. Nothing else of it was looked at.',
    resolution:
      'Send `Authorization: Bearer <key>` with a key that the operators of the gateway gave you. ' +
      'Do not repeat a key that was refused: answers to wrong keys come later and later.',
  },
  'sdk-app-id-not-allowed': {
    meaning: 'The key is valid, but not for this SdkAppId, whether it was given or is the default.',
    resolution: 'Use the key that is meant for this SdkAppId, or ask the operators to allow it for yours.',
  },
  'route-not-found': {
    meaning: 'There is nothing at this path.',
    resolution: 'Check the path. In a task id, `/` is written as `%2F`. `/docs` lists what there is.',
  },
  'task-not-found': {
    meaning:
      'The cloud knows no such task for this SdkAppId: it never existed, ended long ago, or belongs to another SdkAppId.',
    resolution:
      'Check the task id, which is case-sensitive, and `sdkAppId`. If the task did exist, it no longer runs: ' +
      'there is nothing to stop.',
  },
  'method-not-allowed': {
    meaning: 'This path does not take this method.',
    resolution: 'Use a method that the `Allow` header lists.',
  },
  'request-timeout': {
    meaning: 'The headers or the body of the request did not arrive in time. The connection is closed.',
    resolution: 'Send the request again over a new connection.',
  },
  'content-too-large': {
    meaning: 'The request carries a body over the limit, where none is taken at all.',
    resolution: 'Send the request without a body: everything goes into path and query.',
  },
  'quota-exhausted': {
    meaning: 'Every call that the cloud allows in this second is taken, by all callers together.',
    resolution:
      'Repeat the call after `Retry-After` seconds, or let the gateway wait for you with `Prefer: wait=<seconds>`.',
  },
  'share-exhausted': {
    meaning:
      'You use your fair share of the calls that the cloud allows while others need theirs. ' +
      'Calls within the share are served.',
    resolution:
      'Repeat the call after `Retry-After` seconds, or let the gateway wait for you with `Prefer: wait=<seconds>`. ' +
      'Spread bulk work over time.',
  },
  'request-header-fields-too-large': {
    meaning: 'The request line and the headers together exceed 16 KiB. The connection is closed.',
    resolution: 'Send fewer or shorter headers. An unchanged retry will fail.',
  },
  'internal-error': {
    meaning: 'A fault of the gateway itself.',
    resolution:
      'Repeat the DELETE once. If it fails again, give its `X-Request-Id` to the operators of the gateway.',
  },
  'upstream-refused-gateway': {
    meaning:
      'The cloud does not accept the credentials or the SdkAppId that the gateway is configured with: ' +
      'not your fault, and nothing that you can mend.',
    resolution:
      'Tell the operators of the gateway, with `upstream.code` and `upstream.requestId`. Repeating is of no use.',
  },
  'upstream-rejected': {
    meaning: 'The cloud refused the call for the reason that `upstream.code` names.',
    resolution:
      'Look up `upstream.code` in the documentation of Tencent RTC. Repeating the same call is of no use; ' +
      'ask the operators, with `upstream.requestId`.',
  },
  'upstream-unreachable': {
    meaning: 'No connection to the cloud could be made, though it was tried more than once.',
    resolution:
      'Repeat the call later. If it goes on, tell the operators: name resolution, network or TLS is at fault.',
  },
  'upstream-failed': {
    meaning: 'The cloud was called, more than once where that was possible, and gave no definite answer.',
    resolution:
      'Repeat the DELETE, with growing pauses. A task that has ended meanwhile is answered with success.',
  },
  'upstream-unavailable': {
    meaning:
      'The gateway does not call the cloud at the moment: it has failed too often, or there are no valid ' +
      'credentials, or no way to share the quota with the other replicas.',
    resolution:
      'Repeat the call after `Retry-After` seconds. If it goes on, tell the operators of the gateway.',
  },
  'shutting-down': {
    meaning: 'This replica of the gateway is leaving, as in every upgrade.',
    resolution: 'Repeat the call at once over a new connection: another replica answers.',
  },
  'upstream-throttled': {
    meaning:
      'The cloud refused the call as one too many, although the gateway keeps to the quota: ' +
      'something else uses the same account.',
    resolution: 'Repeat the call after `Retry-After` seconds. The operators should find out who else calls.',
  },
  'upstream-timeout': {
    meaning: 'The call was sent to the cloud and not answered in time.',
    resolution:
      'Repeat the DELETE, with growing pauses. A task that has ended meanwhile is answered with success.',
  },
};

/** What `GET /problems/{code}` tells of a problem. */
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
