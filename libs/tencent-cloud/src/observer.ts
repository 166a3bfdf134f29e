export type CircuitStateName = 'closed' | 'open' | 'half-open';
export type RetryReason = 'throttled' | 'unreachable' | 'timeout' | 'failed' | 'clock-skew' | 'credentials';

/** A completed attempt. */
export interface Attempt {
  /** When the attempt started, in milliseconds of the monotonic clock. */
  readonly startedAt: number;
  readonly durationMs: number;
  /**
   * `OK`, the documented part of the cloud's error code, `timeout`, `unreachable`, `malformed` for a response that cannot
   * be parsed, or `other` if the connection ended before the response was complete.
   */
  readonly code: string;
  /** Whether the goal of the call is reached. */
  readonly succeeded: boolean;
  /** The HTTP status; undefined if no complete response arrived. */
  readonly status: number | undefined;
  /** Tencent Cloud's RequestId, if the response contained one. */
  readonly requestId: string | undefined;
}

/** Receives the attempts of one call. */
export interface CallObserver {
  attemptCompleted(attempt: Attempt): void;
}

/** Receives the events of all calls, for metrics and logs. */
export interface ClientObserver {
  attemptCompleted(attempt: Attempt, action: string): void;
  /** An attempt failed, and the call will be retried. */
  retried(reason: RetryReason): void;
  circuitStateChanged(state: CircuitStateName): void;
  /**
   * The clock of signatures has changed.
   *
   * @param offsetMs the cloud's clock minus this machine's. 0 if the cloud rejected the previous offset: from now on
   *   signatures use this machine's clock
   */
  clockCorrected(offsetMs: number): void;
}
