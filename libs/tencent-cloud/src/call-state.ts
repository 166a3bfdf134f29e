import type { Clock } from './clock.js';
import { isCode } from './error-codes.js';
import {
  CloudFailedError,
  CloudRejectedError,
  CloudTimeoutError,
  CloudUnreachableError,
  hasUnknownOutcome,
  isTransientFailure,
} from './errors.js';
import type { RetryReason } from './observer.js';

const INITIAL_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 2000;

/** No attempt starts with less time than this before the deadline, in milliseconds. */
const MIN_REMAINING_MS = 100;

/** Rejections of the parameters. They apply to every attempt, so no earlier attempt had an effect either. */
const PARAMETER_ERROR_CODES = [
  'InvalidParameter',
  'MissingParameter',
  'UnknownParameter',
  'FailedOperation.TaskNotExist',
];

/** Why a retry has another signature than an attempt whose signature the cloud rejected. */
export type SignatureCorrection = Extract<RetryReason, 'clock-skew' | 'credentials'>;

export interface CallStateOptions {
  /** Returns how many attempts the call may make. */
  readonly maxAttempts: () => number;
  /** Milliseconds from the first attempt on. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
}

/** The state of one call: its attempts, its deadline, and whether an attempt may have taken effect. */
export class CallState {
  readonly #options: CallStateOptions;
  readonly #corrections = new Set<SignatureCorrection>();
  /** Why a retry after the last attempt has another signature. Each reason allows one retry of a call. */
  correction: SignatureCorrection | undefined;
  #attempts = 0;
  #deadline = Infinity;
  #lastAttemptError: Error | undefined;
  #unknownOutcomeError: Error | undefined;

  constructor(options: CallStateOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Whether an earlier attempt may have taken effect. */
  get isOutcomeUnknown(): boolean {
    return this.#unknownOutcomeError !== undefined;
  }

  /** Returns the time until the deadline, in milliseconds; Infinity before the first attempt. */
  remainingMs(): number {
    return this.#deadline - this.#options.clock.now();
  }

  startAttempt(): void {
    this.#attempts += 1;
    this.correction = undefined;
    if (this.#attempts === 1) this.#deadline = this.#options.clock.now() + this.#options.deadlineMs;
  }

  /**
   * Records why an attempt failed or could not be made. Returns the reason for a retry, or undefined if the call must
   * not be retried.
   */
  recordFailure(error: unknown): RetryReason | undefined {
    // A retry without a permit or credentials, or with an open circuit, is not an attempt: the result of the last one stays.
    if (error instanceof CloudRejectedError || isTransientFailure(error)) this.#lastAttemptError = error;
    if (hasUnknownOutcome(error)) this.#unknownOutcomeError = error;
    const canRetry = this.#attempts < this.#options.maxAttempts() && this.remainingMs() > MIN_REMAINING_MS;
    if (!canRetry) return undefined;
    if (!this.correction || this.#corrections.has(this.correction)) return retryReason(error);
    this.#corrections.add(this.correction);
    return this.correction;
  }

  /**
   * Returns the delay before the next attempt, in milliseconds: exponential backoff with full jitter.
   *
   * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
   */
  backoffMs(): number {
    const maxBackoffMs = Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** (this.#attempts - 1));
    return Math.min(
      this.#options.random() * maxBackoffMs,
      Math.max(0, this.remainingMs() - MIN_REMAINING_MS),
    );
  }

  /**
   * Returns the error of the whole call. If any attempt may have taken effect, it is an error with an unknown outcome,
   * even if the last attempt failed for another reason.
   */
  resolveError(error: unknown): unknown {
    if (
      error instanceof CloudRejectedError &&
      PARAMETER_ERROR_CODES.some((code) => isCode(error.cloudCode, code))
    )
      return error;
    // A later attempt that was not sent, or was rejected for other reasons, does not show the effect of an earlier one.
    if (this.#unknownOutcomeError) return hasUnknownOutcome(error) ? error : this.#unknownOutcomeError;
    return this.#lastAttemptError ?? error;
  }
}

function retryReason(error: unknown): RetryReason | undefined {
  if (error instanceof CloudUnreachableError) return 'unreachable';
  if (error instanceof CloudTimeoutError) return 'timeout';
  if (error instanceof CloudFailedError) return 'failed';
  const isThrottled = error instanceof CloudRejectedError && isCode(error.cloudCode, 'RequestLimitExceeded');
  return isThrottled ? 'throttled' : undefined;
}
