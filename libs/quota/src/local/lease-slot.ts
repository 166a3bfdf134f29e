import type { Clock } from '../clock.js';
import type { Leases } from './leases.js';
import type { ReleaseReason, Slot } from '../slot-pool.js';
import { ABANDONED_MARGIN_MS, WINDOW_MS } from '../timing.js';

/** How long a slot stays leased after its release, in milliseconds. */
const HOLD_MS: Readonly<Record<ReleaseReason, number>> = {
  completed: WINDOW_MS,
  throttled: WINDOW_MS,
  abandoned: ABANDONED_MARGIN_MS + WINDOW_MS,
  unused: 0,
};

/** @param holdMs how long the slot stays leased from now on */
export type OnRelease = (id: string, holdMs: number, reason: ReleaseReason) => void;

/** Adds a lease and returns its slot. `onRelease` is called at the first release only. */
export function leaseSlot(
  leases: Leases,
  clock: Clock,
  { id, caller }: { id: string; caller: string },
  onRelease: OnRelease,
): Slot {
  leases.add(id, caller);
  let isReleased = false;
  return {
    release: (reason) => {
      if (isReleased) return;
      isReleased = true;
      const holdMs = HOLD_MS[reason];
      leases.release(id, clock.now() + holdMs);
      onRelease(id, holdMs, reason);
    },
  };
}
