/** How long after an answer its slot stays taken, in milliseconds: the length of the cloud's second. */
export const WINDOW_MS = 1000;

/** How long a request given up without an answer may still be under way, in milliseconds. */
export const ABANDONED_MARGIN_MS = 2000;

/**
 * How long nothing is lent, in milliseconds, where it is not known what was sent before: the second, and half of
 * one more for what is still under way. docs/decisions/0001-slots.md has the proof.
 */
export const STARTUP_DELAY_MS = WINDOW_MS + 500;

/**
 * How long a slot may be lent at most, in milliseconds: what its call may take, and what is held for a call given up.
 *
 * @param attemptTimeoutMs how long one attempt may take
 */
export function maxLeaseMs(attemptTimeoutMs: number): number {
  return attemptTimeoutMs + ABANDONED_MARGIN_MS + WINDOW_MS;
}
