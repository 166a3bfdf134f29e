import type { Clock } from './clock.js';
import type { Leases } from './leases.js';
import type { Slot } from './slot-source.js';
import { GUARD_MS, SECOND_MS } from './timing.js';

/**
 * Lends a slot: enters it among the leases until it is given back.
 *
 * @param returned is told once, when it was given back, and how long it stays taken from then on
 */
export function lend(
  leases: Leases,
  clock: Clock,
  { id, caller }: { id: string; caller: string },
  returned: (id: string, heldForMs: number) => void,
): Slot {
  leases.enter(id, caller);
  let lent = true;
  const giveBack = (heldForMs: number): void => {
    if (!lent) return;
    lent = false;
    leases.end(id, clock.now() + heldForMs);
    returned(id, heldForMs);
  };
  return {
    answered: () => giveBack(SECOND_MS),
    lost: () => giveBack(GUARD_MS + SECOND_MS),
    unused: () => giveBack(0),
  };
}
