import type { Clock } from './clock.js';
import type { Leases } from './leases.js';
import type { ReleaseReason, Slot } from './slot-source.js';
import { GUARD_MS, SECOND_MS } from './timing.js';

/** How long a slot stays taken after its release, in milliseconds. */
const HELD_FOR_MS: Readonly<Record<ReleaseReason, number>> = {
  completed: SECOND_MS,
  throttled: SECOND_MS,
  abandoned: GUARD_MS + SECOND_MS,
  unused: 0,
};

/**
 * Lends a slot: enters it among the leases until it is released.
 *
 * @param onRelease is called once, at the first release, with the time for which the slot stays taken from then on
 */
export function lend(
  leases: Leases,
  clock: Clock,
  { id, caller }: { id: string; caller: string },
  onRelease: (id: string, heldForMs: number, reason: ReleaseReason) => void,
): Slot {
  leases.enter(id, caller);
  let isReleased = false;
  return {
    release: (reason) => {
      if (isReleased) return;
      isReleased = true;
      const heldForMs = HELD_FOR_MS[reason];
      leases.end(id, clock.now() + heldForMs);
      onRelease(id, heldForMs, reason);
    },
  };
}
