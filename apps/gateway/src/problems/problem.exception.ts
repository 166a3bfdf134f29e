import { HttpException } from '@nestjs/common';
import type { ValidationError } from '../http/route-config.js';
import { type Outcome, PROBLEMS, type ProblemCode } from './problem-table.js';

/** After these problems, Node.js would read the rest of the request as another request. */
const CLOSES_CONNECTION: ReadonlySet<ProblemCode> = new Set([
  'request-timeout',
  'request-header-fields-too-large',
]);

interface ProblemDetails {
  /** Of `invalid-request`. */
  errors?: readonly ValidationError[];
  /** The cloud's error, if the cloud responded. */
  upstream?: { code: string; requestId: string } | undefined;
  /** Only for the log; never free text. */
  reason?: string | undefined;
  /** For `Retry-After`, rounded up to whole seconds. */
  retryAfterMs?: number | undefined;
  /** For `Allow`. */
  allow?: readonly string[];
  /** An earlier attempt may have stopped the task, although the problem usually means that none did. */
  isOutcomeUnknown?: boolean;
  /** Of `internal-error`: logged in an entry of its own. */
  cause?: unknown;
}

/** An error response as the caller sees it (RFC 9457). */
export class ProblemException extends HttpException {
  override readonly name: string = 'ProblemException';

  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails = {},
  ) {
    // A response is not a bug: its stack is never read, and recording one takes longer than the rest of a rejection.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(PROBLEMS[code].title, PROBLEMS[code].status);
    Error.stackTraceLimit = stackTraceLimit;
  }

  get outcome(): Outcome {
    return this.details.isOutcomeUnknown ? 'unknown' : PROBLEMS[this.code].outcome;
  }

  body(requestId: string): string {
    const { errors, upstream, isOutcomeUnknown } = this.details;
    if (errors || upstream || isOutcomeUnknown) return JSON.stringify(this.document(requestId));
    const [before, after] = (BODIES[this.code] ??= splitAtInstance(new ProblemException(this.code)));
    return before + JSON.stringify(encodeURIComponent(requestId)) + after;
  }

  document(requestId: string): Record<string, unknown> {
    const { status, title, detail } = PROBLEMS[this.code];
    const { errors, upstream } = this.details;
    return {
      type: `/problems/${this.code}`,
      title,
      status,
      detail,
      // A URI reference, which a request id need not be.
      instance: encodeURIComponent(requestId),
      code: this.code,
      outcome: this.outcome,
      ...(errors && { errors }),
      ...(upstream && { upstream }),
    };
  }

  headers(): Record<string, string> {
    const { allow, retryAfterMs } = this.details;
    return {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(this.code === 'unauthenticated' && { 'www-authenticate': 'Bearer' }),
      ...(CLOSES_CONNECTION.has(this.code) && { connection: 'close' }),
      ...(allow && { allow: allow.join(', ') }),
      ...(retryAfterMs !== undefined && {
        'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
      }),
    };
  }
}

/** The body of most problems differs only in the instance: the rest is serialized once. */
const BODIES: Partial<Record<ProblemCode, readonly [before: string, after: string]>> = {};

function splitAtInstance(problem: ProblemException): [string, string] {
  const placeholder = 'instance-placeholder';
  return JSON.stringify(problem.document(placeholder)).split(JSON.stringify(placeholder)) as [string, string];
}
