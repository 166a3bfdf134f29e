export type CircuitStateName = 'closed' | 'open' | 'half-open';
export type RetryReason = 'throttled' | 'unreachable' | 'timeout' | 'failed' | 'clock-skew';

/** One attempt at the cloud, when it has ended. */
export interface Attempt {
  /** When it was sent, in milliseconds of the client's clock. */
  readonly startedAt: number;
  readonly durationMs: number;
  /**
   * `OK`, the cloud's error code, `timeout`, `unreachable`, or `malformed` for everything that is not an answer.
   */
  readonly code: string;
  /** Whether what was asked for holds after it. */
  readonly succeeded: boolean;
  /** The HTTP status of the answer; undefined when none arrived whole. */
  readonly status: number | undefined;
  /** Tencent's RequestId, when the answer had one. */
  readonly requestId: string | undefined;
}

/** Is told what becomes of one call. */
export interface CallObserver {
  attemptCompleted(attempt: Attempt): void;
}

/** Is told what happens between the client and the cloud, for metrics and logs. */
export interface ClientObserver {
  /**
   * One attempt has ended.
   *
   * @param code `OK`, the cloud's error code, `timeout`, `unreachable`, or `malformed` for everything that is not
   *   an answer
   */
  attemptCompleted(action: string, code: string, durationMs: number): void;
  /** The call is about to be repeated. */
  retried(reason: RetryReason): void;
  circuitStateChanged(state: CircuitStateName): void;
  /** This machine's clock is off: signatures carry the cloud's time from now on. */
  clockCorrected(offsetMs: number): void;
}
