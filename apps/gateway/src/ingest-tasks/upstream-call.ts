import type { Attempt, CallObserver } from '#libs/tencent-cloud';

/** A stretch of time, in milliseconds of the clock that never goes back. */
export interface Stretch {
  readonly startedAt: number;
  readonly durationMs: number;
}

/** What one call to the cloud has come to so far: the same for all who joined it. */
export class UpstreamCall implements CallObserver {
  readonly attempts: Attempt[] = [];
  /** For the slots of repetitions; for the first one each caller waits for itself. */
  readonly waits: Stretch[] = [];
  /** Whether a trace has it. */
  traced = false;

  attempted(attempt: Attempt): void {
    this.attempts.push(attempt);
  }

  waited(startedAt: number, endedAt: number): void {
    this.waits.push({ startedAt, durationMs: endedAt - startedAt });
  }
}

/** How long a caller that asked for a first slot then has waited for it. */
export function firstWait(askedAt: number, course: UpstreamCall | undefined, now: number): Stretch {
  return { startedAt: askedAt, durationMs: (course?.attempts[0]?.startedAt ?? now) - askedAt };
}
