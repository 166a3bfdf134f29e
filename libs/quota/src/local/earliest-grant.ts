import { WINDOW_MS } from '../timing.js';

/** The least time for which a slot in flight stays leased: its response arrives after now, and the window follows. */
const MIN_HOLD_MS = WINDOW_MS + 1;

/** The expiry time of a lease whose attempt has not ended. */
export const IN_FLIGHT = Infinity;

export interface LeasedSlots {
  /** How many slots may be leased. */
  readonly capacity: number;
  /** When each leased slot becomes free. */
  readonly expiryTimes: readonly number[];
  /** No slot is granted before this time. */
  readonly availableFrom: number;
}

/**
 * Returns the earliest time at which the call at this position of the queue (0 is its head) can get a slot.
 *
 * An attempt in flight counts as if its response arrived right after now. So the call may get its slot later than
 * the returned time, but never earlier.
 */
export function earliestGrantAt(
  { capacity, expiryTimes, availableFrom }: LeasedSlots,
  position: number,
  now: number,
): number {
  if (capacity === 0) return now + MIN_HOLD_MS;
  const rounds = Math.floor(position / capacity);
  const from = Math.max(now, availableFrom);
  // The call gets a slot when so many leases have expired that fewer than the capacity remain.
  const index = (position % capacity) + expiryTimes.length - capacity;
  if (index < 0) return from + rounds * MIN_HOLD_MS;
  const times = expiryTimes.map((time) => (time === IN_FLIGHT ? now + MIN_HOLD_MS : time));
  // Every rejection asks for the head of the queue, and the minimum needs no sorting.
  const time = index === 0 ? Math.min(...times) : times.toSorted((a, b) => a - b)[index]!;
  return Math.max(from, time) + rounds * MIN_HOLD_MS;
}
