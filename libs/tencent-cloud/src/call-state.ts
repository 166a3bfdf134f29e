import type { Clock } from './clock.js';
import { isCode } from './error-codes.js';
import {
  CloudFailedError,
  CloudRejectedError,
  CloudTimeoutError,
  CloudUnreachableError,
  hasUnknownOutcome,
} from './errors.js';
import type { RetryReason } from './observer.js';

const INITIAL_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 2000;

/** Less than this, in milliseconds, is not worth another attempt. */
const MIN_REMAINING_MS = 100;

/** Refusals of the parameters themselves: what they say of this attempt holds for the ones before. */
const PARAMETER_ERROR_CODES = [
  'InvalidParameter',
  'MissingParameter',
  'UnknownParameter',
  'FailedOperation.TaskNotExist',
];

export interface CallStateOptions {
  readonly maxAttempts: number;
  /** From the first attempt on, in milliseconds. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Yields [0, 1). */
  readonly random: () => number;
}

/** The course of one call: its attempts, its time, and what is known of its effect. */
export class CallState {
  readonly #options: CallStateOptions;
  #attempts = 0;
  #deadline = Infinity;
  #lastError: unknown;
  #unknownOutcomeError: Error | undefined;
  #clockCorrected = false;

  constructor(options: CallStateOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Whether an attempt before this moment may have taken effect. */
  get isOutcomeUnknown(): boolean {
    return this.#unknownOutcomeError !== undefined;
  }

  /** What is left of the deadline, which runs from the first attempt on. */
  remainingMs(): number {
    return this.#deadline - this.#options.clock.now();
  }

  startAttempt(): void {
    this.#attempts += 1;
    if (this.#attempts === 1) this.#deadline = this.#options.clock.now() + this.#options.deadlineMs;
  }

  /** The clock can be corrected once in a call. */
  correctClockOnce(correct: () => boolean): void {
    this.#clockCorrected = !this.#clockCorrected && correct();
  }

  /** Learns how an attempt failed. @returns why it is worth repeating, or undefined when it is not */
  recordFailure(error: unknown): RetryReason | undefined {
    this.#lastError = error;
    if (hasUnknownOutcome(error)) this.#unknownOutcomeError = error;
    const canRetry = this.#attempts < this.#options.maxAttempts && this.remainingMs() > MIN_REMAINING_MS;
    return canRetry ? this.#retryReason(error) : undefined;
  }

  /** Full jitter: a random part of a time that doubles from attempt to attempt. */
  backoffMs(): number {
    const maxBackoffMs = Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** (this.#attempts - 1));
    return Math.min(
      this.#options.random() * maxBackoffMs,
      Math.max(0, this.remainingMs() - MIN_REMAINING_MS),
    );
  }

  /** What the call as a whole ended in: the last error may not be the last word on the task. */
  resolveError(error: unknown): unknown {
    if (
      error instanceof CloudRejectedError &&
      PARAMETER_ERROR_CODES.some((code) => isCode(error.cloudCode, code))
    )
      return error;
    // A later attempt that was not sent, or was refused for other reasons, tells nothing of an earlier one.
    if (this.#unknownOutcomeError) return hasUnknownOutcome(error) ? error : this.#unknownOutcomeError;
    return this.#lastError ?? error;
  }

  #retryReason(error: unknown): RetryReason | undefined {
    if (error instanceof CloudUnreachableError) return 'unreachable';
    if (error instanceof CloudTimeoutError) return 'timeout';
    if (error instanceof CloudFailedError) return 'failed';
    if (!(error instanceof CloudRejectedError)) return undefined;
    if (isCode(error.cloudCode, 'RequestLimitExceeded')) return 'throttled';
    return this.#clockCorrected ? 'clock-skew' : undefined;
  }
}
