import type { Attempt, CallObserver } from '#libs/tencent-cloud';

/** Milliseconds of the monotonic clock. */
export interface TimeSpan {
  readonly startedAt: number;
  readonly durationMs: number;
}

/** The attempts of one call to the cloud and its waits for slots: the same for all stops that share the call. */
export class UpstreamCall implements CallObserver {
  readonly attempts: Attempt[] = [];
  /** For the slots of retries; for the first slot each stop waits by itself. */
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

/** How long a stop that requested its first slot then has waited for it. */
export function initialWait(queuedAt: number, upstreamCall: UpstreamCall | undefined, now: number): TimeSpan {
  return { startedAt: queuedAt, durationMs: (upstreamCall?.attempts[0]?.startedAt ?? now) - queuedAt };
}
