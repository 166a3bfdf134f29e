const INITIAL_MS = 1000;

/** No stop waits longer for its next attempt. */
export const MAX_BACKOFF_MS = 60_000;

/**
 * Returns the delay after a failed attempt: exponential, with half of it random, so that stops that failed together are
 * not retried together.
 *
 * @param attempts how many attempts have failed
 * @param random a number in [0, 1)
 */
export function backoffMs(attempts: number, random: number): number {
  const limit = Math.min(MAX_BACKOFF_MS, INITIAL_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(limit * (0.5 + random / 2));
}
