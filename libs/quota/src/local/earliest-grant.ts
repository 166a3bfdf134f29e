import { WINDOW_MS } from '../timing.js';

/** The least time for which a slot in flight stays leased: its response arrives after now, and the window follows. */
export const MIN_HOLD_MS = WINDOW_MS + 1;

/** The expiry time of a lease whose attempt has not ended. */
export const IN_FLIGHT = Infinity;

/**
 * Returns the earliest time at which the call at this position of the queue (0 is its head) can get a slot.
 *
 * An attempt in flight counts as if its response arrived right after now. So the call may get its slot later than
 * the returned time, but never earlier.
 *
 * @param expiryTimes when each slot becomes free; for a free slot, any time up to now
 * @param capacity how many of these slots may be used
 */
export function earliestGrantAt(
  expiryTimes: readonly number[],
  capacity: number,
  position: number,
  now: number,
): number {
  if (capacity === 0) return now + MIN_HOLD_MS;
  const rounds = Math.floor(position / capacity);
  // With a reduced capacity, a slot can be granted only when fewer than `capacity` leases remain.
  const index = (position % capacity) + expiryTimes.length - capacity;
  const definite = expiryTimes.map((time) => (time === IN_FLIGHT ? now + MIN_HOLD_MS : time));
  // Every rejection asks for the head of the queue, and the minimum needs no sorting.
  const times = index === 0 ? [Math.min(...definite)] : definite.toSorted((a, b) => a - b);
  return Math.max(now, times[index]!) + rounds * MIN_HOLD_MS;
}
