import type { Attempt, CallObserver } from '#libs/tencent-cloud';

/** Milliseconds of the monotonic clock. */
export interface TimeSpan {
  readonly startedAt: number;
  readonly durationMs: number;
}

/** Records the attempts of one upstream call and its waits for slots. Stops that share the call share the record. */
export class UpstreamCall implements CallObserver {
  readonly attempts: Attempt[] = [];
  /** Waits for the slots of retries. Each stop has its own wait for the first slot. */
  readonly waits: TimeSpan[] = [];
  /** Whether the spans of the attempts are exported. */
  spansExported = false;

  attemptCompleted(attempt: Attempt): void {
    this.attempts.push(attempt);
  }

  recordWait(startedAt: number, endedAt: number): void {
    this.waits.push({ startedAt, durationMs: endedAt - startedAt });
  }
}

/** Returns the wait of a stop for the first slot, which it requested at `queuedAt`. */
export function initialWait(queuedAt: number, upstreamCall: UpstreamCall | undefined, now: number): TimeSpan {
  return { startedAt: queuedAt, durationMs: (upstreamCall?.attempts[0]?.startedAt ?? now) - queuedAt };
}
