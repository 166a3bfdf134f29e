export type CircuitStateName = 'closed' | 'open' | 'half-open';
export type RetryReason = 'throttled' | 'unreachable' | 'timeout' | 'failed' | 'clock-skew';

/** Is told what happens between the client and the cloud, for metrics and logs. */
export interface ClientObserver {
  /**
   * One attempt has ended.
   *
   * @param code `OK`, the cloud's error code, `timeout`, `unreachable`, or `malformed` for everything that is not
   *   an answer
   */
  attempted(action: string, code: string, durationMs: number): void;
  /** The call is about to be repeated. */
  retried(reason: RetryReason): void;
  circuit(state: CircuitStateName): void;
  /** This machine's clock is off: signatures carry the cloud's time from now on. */
  clockCorrected(offsetMs: number): void;
}
