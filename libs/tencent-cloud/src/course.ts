import type { Clock } from './clock.js';
import { isCode } from './error-codes.js';
import { CloudFailed, CloudRefused, CloudTimeout, CloudUnreachable, isUnknown } from './errors.js';
import type { RetryReason } from './observer.js';

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 2000;

/** Less than this, in milliseconds, is not worth another attempt. */
const WORTH_TRYING_MS = 100;

/** Refusals of the parameters themselves: what they say of this attempt holds for the ones before. */
const OF_PARAMETERS = [
  'InvalidParameter',
  'MissingParameter',
  'UnknownParameter',
  'FailedOperation.TaskNotExist',
];

export interface CourseOptions {
  readonly maxAttempts: number;
  /** From the first attempt on, in milliseconds. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Yields [0, 1). */
  readonly random: () => number;
}

/** The course of one call: its attempts, its time, and what is known of its effect. */
export class Course {
  readonly #options: CourseOptions;
  #attempts = 0;
  #endsAt = Infinity;
  #lastError: unknown;
  #unknown: Error | undefined;
  #clockCorrected = false;

  constructor(options: CourseOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Whether an attempt before this moment may have taken effect. */
  get mayHaveTakenEffect(): boolean {
    return this.#unknown !== undefined;
  }

  /** What is left of the deadline, which runs from the first attempt on. */
  leftMs(): number {
    return this.#endsAt - this.#options.clock.now();
  }

  beginAttempt(): void {
    this.#attempts += 1;
    if (this.#attempts === 1) this.#endsAt = this.#options.clock.now() + this.#options.deadlineMs;
  }

  /** The clock can be corrected once in a call. */
  correctClockOnce(correct: () => boolean): void {
    this.#clockCorrected = !this.#clockCorrected && correct();
  }

  /** Learns how an attempt failed. @returns why it is worth repeating, or undefined when it is not */
  failed(error: unknown): RetryReason | undefined {
    this.#lastError = error;
    if (isUnknown(error)) this.#unknown = error;
    const worthIt = this.#attempts < this.#options.maxAttempts && this.leftMs() > WORTH_TRYING_MS;
    return worthIt ? this.#reason(error) : undefined;
  }

  /** Full jitter: a random part of a time that doubles from attempt to attempt. */
  backoffMs(): number {
    const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#attempts - 1));
    return Math.min(this.#options.random() * longest, Math.max(0, this.leftMs() - WORTH_TRYING_MS));
  }

  /** What the call as a whole ended in: the last error may not be the last word on the task. */
  verdict(error: unknown): unknown {
    if (error instanceof CloudRefused && OF_PARAMETERS.some((code) => isCode(error.cloudCode, code)))
      return error;
    // A later attempt that was not sent, or was refused for other reasons, tells nothing of an earlier one.
    if (this.#unknown) return isUnknown(error) ? error : this.#unknown;
    return this.#lastError ?? error;
  }

  #reason(error: unknown): RetryReason | undefined {
    if (error instanceof CloudUnreachable) return 'unreachable';
    if (error instanceof CloudTimeout) return 'timeout';
    if (error instanceof CloudFailed) return 'failed';
    if (!(error instanceof CloudRefused)) return undefined;
    if (isCode(error.cloudCode, 'RequestLimitExceeded')) return 'throttled';
    return this.#clockCorrected ? 'clock-skew' : undefined;
  }
}
