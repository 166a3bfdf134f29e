import { gzipSync } from 'node:zlib';
import type { Fault, FaultRule } from '../../apps/sandbox/src/faults.js';
import { words } from './words.js';

/** The result of a call. */
type ExpectedResult = readonly [status: number, code: string, outcome: string | undefined, attempts: number];

export interface FaultCase {
  readonly name: string;
  readonly fault: Fault;
  /** The error code of Tencent Cloud that a caller sees. */
  readonly reported?: string;
  readonly effect?: FaultRule['effect'];
  /** The result when the fault is injected into the first attempt only. */
  readonly once: ExpectedResult;
  /** The result when the fault is injected into every attempt. */
  readonly always: ExpectedResult;
}

const STOPPED_BY_FIRST_ATTEMPT: ExpectedResult = [200, 'stopped', undefined, 1];
const STOPPED_BY_SECOND_ATTEMPT: ExpectedResult = [200, 'stopped', undefined, 2];
const UPSTREAM_FAILED: ExpectedResult = [502, 'upstream-failed', 'unknown', 3];
const UPSTREAM_TIMEOUT: ExpectedResult = [504, 'upstream-timeout', 'unknown', 3];
const THROTTLED: ExpectedResult = [503, 'upstream-throttled', 'not-stopped', 3];

const retried =
  (always: ExpectedResult) =>
  (name: string, fault: Fault, effect?: FaultRule['effect']): FaultCase => ({
    name,
    fault,
    ...(effect && { effect }),
    once: STOPPED_BY_SECOND_ATTEMPT,
    always,
  });
const failing = retried(UPSTREAM_FAILED);
const timingOut = retried(UPSTREAM_TIMEOUT);
const throttled = retried(THROTTLED);

/** @param reported the part of the code that is documented */
function rejecting(
  code: string,
  status: number,
  problem: string,
  { reported = code, message }: { reported?: string; message?: string } = {},
): FaultCase {
  const result: ExpectedResult = [status, problem, 'not-stopped', 1];
  return {
    name: code,
    reported,
    fault: { kind: 'error', code, ...(message && { message }) },
    once: result,
    always: result,
  };
}

const CONNECTION_PHASES = ['before-headers', 'in-headers', 'in-body'] as const;
const body = (text: string): Fault => ({ kind: 'body', body: text });
const error = (code: string, message = 'x'): Fault => ({ kind: 'error', code, message });

const connectionFaults: FaultCase[] = [
  ...CONNECTION_PHASES.map((at) => failing(`reset ${at}`, { kind: 'reset', at })),
  ...CONNECTION_PHASES.map((at) =>
    failing(`reset ${at}, after the stop took effect`, { kind: 'reset', at }, 'after'),
  ),
  ...CONNECTION_PHASES.map((at) => failing(`closed ${at}`, { kind: 'close', at })),
  failing('body shorter than Content-Length', { kind: 'short-body' }),
  failing('body shorter than Content-Length, after the stop took effect', { kind: 'short-body' }, 'after'),
  timingOut('no response', { kind: 'no-response' }),
  timingOut('no response, after the stop took effect', { kind: 'no-response' }, 'after'),
  timingOut('headers byte by byte, beyond the timeout', { kind: 'trickle', part: 'headers', everyMs: 100 }),
  timingOut('body byte by byte, beyond the timeout', { kind: 'trickle', part: 'body', everyMs: 100 }),
];

const httpStatuses: FaultCase[] = [301, 307, 400, 403, 404, 413, 414, 429, 500, 502, 503, 504].map((status) =>
  failing(`HTTP ${status} with HTML`, {
    kind: 'status',
    status,
    headers: { location: 'http://127.0.0.1:9/' },
  }),
);

const malformedResponses: FaultCase[] = [
  failing('200 with HTML', { kind: 'body', body: '<html>hello</html>', contentType: 'text/html' }),
  ...['', 'null', '[]', '{}', '"text"', '7', '{"Response":null}', '{"Response":[]}', '{"Response":{}}'].map(
    (text) => failing(`200 with ${text || 'an empty body'}`, body(text)),
  ),
  failing('RequestId of a wrong type', body('{"Response":{"RequestId":7}}')),
  failing('an error without RequestId', body('{"Response":{"Error":{"Code":"InvalidParameter.TaskId"}}}')),
  failing(
    'an error that is null',
    body('{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","Error":null}}'),
  ),
  failing(
    'an error without a code',
    body('{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","Error":{"Message":"x"}}}'),
  ),
  failing(
    'an error and a success in one body, with duplicate keys',
    body(
      '{"Response":{"Error":{"Code":"AuthFailure"},"RequestId":"00000000-0000-4000-8000-000000000001"},"Response":{"RequestId":"00000000-0000-4000-8000-000000000002"}}',
    ),
  ),
  failing('10,000 levels deep', body('['.repeat(10_000) + ']'.repeat(10_000))),
  failing('10,000 levels deep and truncated', body('{"Response":'.repeat(10_000))),
  failing('100 MB', { kind: 'huge', bytes: 100_000_000 }),
  failing('a gzip bomb', {
    kind: 'body',
    bodyBase64: gzipSync(Buffer.alloc(10_000_000)).toString('base64'),
    headers: { 'content-encoding': 'gzip' },
  }),
  failing('invalid UTF-8', {
    kind: 'body',
    bodyBase64: Buffer.from('7b22526573706f6e7365223a7b22526571756573744964223a22ff227d7d', 'hex').toString(
      'base64',
    ),
  }),
  {
    name: 'a valid response with a wrong Content-Type',
    fault: {
      kind: 'body',
      body: '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001"}}',
      contentType: 'image/png',
    },
    once: STOPPED_BY_FIRST_ATTEMPT,
    always: STOPPED_BY_FIRST_ATTEMPT,
  },
];

const errorCodes: FaultCase[] = [
  ...words(`AuthFailure AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.MFAFailure
    AuthFailure.SecretIdNotFound AuthFailure.SignatureExpire AuthFailure.SignatureFailure
    AuthFailure.TokenFailure AuthFailure.UnauthorizedOperation UnauthorizedOperation
  `).map((code) => rejecting(code, 502, 'upstream-refused-gateway')),
  rejecting('AuthFailure.SomethingNew', 502, 'upstream-refused-gateway', { reported: 'AuthFailure' }),
  rejecting('UnauthorizedOperation.CamNoAuth', 502, 'upstream-refused-gateway', {
    reported: 'UnauthorizedOperation',
  }),
  rejecting('InvalidParameter.SdkAppId', 502, 'upstream-refused-gateway'),
  rejecting('InvalidParameter.TaskId', 404, 'task-not-found'),
  rejecting('FailedOperation.TaskNotExist', 404, 'task-not-found'),
  ...words(`ActionOffline DryRunOperation FailedOperation FailedOperation.SdkAppIdNotExist InvalidAction
    InvalidParameter InvalidParameter.BodyParamsError InvalidParameterValue InvalidRequest IpInBlacklist
    IpNotInWhitelist LimitExceeded MissingParameter NoSuchProduct NoSuchVersion RequestSizeLimitExceeded
    ResourceInUse ResourceInsufficient ResourceNotFound ResourceUnavailable ResponseSizeLimitExceeded
    UnknownParameter UnsupportedOperation UnsupportedProtocol UnsupportedRegion
  `).map((code) => rejecting(code, 502, 'upstream-rejected')),
  rejecting('InvalidParameter.TaskIdentity', 502, 'upstream-rejected', { reported: 'InvalidParameter' }),
  rejecting('UnknownCode.Undocumented', 502, 'upstream-rejected', { reported: 'UnknownCode' }),
  rejecting('MissingParameter.X', 502, 'upstream-rejected', {
    reported: 'MissingParameter',
    message: 'a\nb\u001B[31m\r\n\u0000__proto__',
  }),
  rejecting('MissingParameter.Y', 502, 'upstream-rejected', {
    reported: 'MissingParameter',
    message: 'm'.repeat(1_000_000),
  }),
  ...['', '.GlobalRegionUinLimitExceeded', '.IPLimitExceeded', '.UinLimitExceeded'].map((suffix) =>
    throttled(`RequestLimitExceeded${suffix}`, error(`RequestLimitExceeded${suffix}`)),
  ),
  ...['InternalError', 'InternalError.InternalError', 'ServiceUnavailable'].map((code) =>
    failing(code, error(code)),
  ),
  failing('InternalError, after the stop took effect', error('InternalError'), 'after'),
  failing('a code with newlines', error('Invalid\nParameter')),
  failing('a code with ANSI escape sequences', error('\u001B[31mInvalidParameter')),
  failing('a code of 500 KB', error('A'.repeat(500_000))),
  failing('a code named __proto__', error('__proto__')),
  failing('a message of 2 MB', error('InvalidParameter.TaskId', 'm'.repeat(2_000_000))),
  {
    name: 'FailedOperation.TaskFinished',
    fault: error('FailedOperation.TaskFinished'),
    once: [200, 'already-finished', undefined, 1],
    always: [200, 'already-finished', undefined, 1],
  },
];

/** Every upstream fault with the result that the contract promises. */
export const FAULTS: readonly FaultCase[] = [
  ...connectionFaults,
  ...httpStatuses,
  ...malformedResponses,
  ...errorCodes,
];
