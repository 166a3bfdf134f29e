import { WINDOW_MS } from '../timing.js';

/** A call is answered after now, and its slot frees a second later. */
export const MIN_HOLD_MS = WINDOW_MS + 1;

/** When the slot of a call in flight frees: not known yet. */
export const IN_FLIGHT = Infinity;

/**
 * The earliest time at which the call in this place of a queue (0 is its head) can have a slot. A call in flight
 * counts as answered right after now, so the truth may be later but never earlier.
 *
 * @param expiryTimes when each slot is free again; of a free one, any time up to now
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
  // Of fewer slots than usual, the first frees when all but one of them are still taken.
  const index = (position % capacity) + expiryTimes.length - capacity;
  const definite = expiryTimes.map((time) => (time === IN_FLIGHT ? now + MIN_HOLD_MS : time));
  // The usual question, for the head of the queue, needs no order: every refusal asks it.
  const times = index === 0 ? [Math.min(...definite)] : definite.toSorted((a, b) => a - b);
  return Math.max(now, times[index]!) + rounds * MIN_HOLD_MS;
}
