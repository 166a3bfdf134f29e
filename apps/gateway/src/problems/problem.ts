import { type Outcome, PROBLEMS, type ProblemCode } from './problem-table.js';

/** Where a fault of a request may be. */
export const FAULT_PLACES = ['path', 'query', 'header', 'body', 'request'] as const;

/** After these the rest of the request would be read as another one. */
const CLOSES_CONNECTION: ReadonlySet<ProblemCode> = new Set([
  'request-timeout',
  'request-header-fields-too-large',
]);

/** One fault of a request. */
export interface Fault {
  readonly in: (typeof FAULT_PLACES)[number];
  /** The parameter's name; empty where there is none. */
  readonly name: string;
  readonly message: string;
}

interface ProblemDetails {
  /** Of `invalid-request`. */
  errors?: readonly Fault[];
  /** What the cloud said, when it answered. */
  upstream?: { code: string; requestId: string };
  /** For the log alone, in words of our own. */
  reason?: string;
  /** Goes into Retry-After, as whole seconds rounded up. */
  retryAfterMs?: number;
  /** Goes into Allow. */
  allow?: readonly string[];
}

/** The end of a call that did not succeed, as the caller will see it (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails = {},
  ) {
    // An answer and not a fault: nobody reads its stack, and to record one takes longer than all else of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(PROBLEMS[code].title);
    Error.stackTraceLimit = stackTraceLimit;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get outcome(): Outcome {
    return PROBLEMS[this.code].outcome;
  }

  /** The body of the answer, as JSON. */
  body(instance: string): string {
    const { errors, upstream } = this.details;
    if (errors || upstream) return JSON.stringify(this.document(instance));
    const [before, after] = (BODIES[this.code] ??= bodyAround(new Problem(this.code)));
    return before + JSON.stringify(instance) + after;
  }

  document(instance: string): Record<string, unknown> {
    const { status, title, detail, outcome } = PROBLEMS[this.code];
    const { errors, upstream } = this.details;
    return {
      type: `/problems/${this.code}`,
      title,
      status,
      detail,
      instance,
      code: this.code,
      outcome,
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

/** Most problems have the same body every time but for the instance: it is written once. */
const BODIES: Partial<Record<ProblemCode, readonly [before: string, after: string]>> = {};

function bodyAround(problem: Problem): [string, string] {
  const mark = 'the instance';
  return JSON.stringify(problem.document(mark)).split(JSON.stringify(mark)) as [string, string];
}
