import type { Clock } from '../clock.js';
import type { Leases } from './leases.js';
import type { ReleaseReason, Slot } from '../slot-pool.js';
import { ABANDONED_MARGIN_MS, WINDOW_MS } from '../timing.js';

/** How long a slot stays taken after its release, in milliseconds. */
const HELD_FOR_MS: Readonly<Record<ReleaseReason, number>> = {
  completed: WINDOW_MS,
  throttled: WINDOW_MS,
  abandoned: ABANDONED_MARGIN_MS + WINDOW_MS,
  unused: 0,
};

/**
 * Lends a slot: enters it among the leases until it is released.
 *
 * @param onRelease is called once, at the first release, with the time for which the slot stays taken from then on
 */
export function leaseSlot(
  leases: Leases,
  clock: Clock,
  { id, caller }: { id: string; caller: string },
  onRelease: (id: string, holdMs: number, reason: ReleaseReason) => void,
): Slot {
  leases.add(id, caller);
  let isReleased = false;
  return {
    release: (reason) => {
      if (isReleased) return;
      isReleased = true;
      const holdMs = HELD_FOR_MS[reason];
      leases.release(id, clock.now() + holdMs);
      onRelease(id, holdMs, reason);
    },
  };
}
