/** How long a slot stays leased after the response, in milliseconds: the window in which the cloud counts calls. */
export const WINDOW_MS = 1000;

/** How long after an attempt is abandoned its request may still arrive, in milliseconds. */
export const ABANDONED_MARGIN_MS = 2000;

/**
 * How long no slot is granted when earlier calls are unknown, in milliseconds: after start and after the loss of the
 * slot store. It is the window, plus 500 ms for requests that are still on their way.
 *
 * @see ../../../docs/adr/0001-slots.md
 */
export const STARTUP_DELAY_MS = WINDOW_MS + 500;

/**
 * Returns how long a lease lasts at most, in milliseconds: the attempt, and the hold after an abandoned one. A slot
 * store expires a lease after this time, so the slots of a killed replica become free.
 *
 * @param attemptTimeoutMs timeout of one attempt
 */
export function maxLeaseMs(attemptTimeoutMs: number): number {
  return attemptTimeoutMs + ABANDONED_MARGIN_MS + WINDOW_MS;
}
