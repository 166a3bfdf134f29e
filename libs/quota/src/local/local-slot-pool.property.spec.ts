import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../../test/virtual-clock.js';
import { earliestGrantAt, IN_FLIGHT } from './earliest-grant.js';
import { Leases } from './leases.js';
import { LocalSlotPool } from './local-slot-pool.js';

const expiries = fc.array(fc.oneof(fc.constant(IN_FLIGHT), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 25,
});

describe('earliestGrantAt of a local slot pool', () => {
  it('is the same with and without the shortcut for the head of the queue, for any leases and any capacity', () => {
    fc.assert(
      fc.property(
        expiries,
        fc.integer({ min: 1, max: 25 }),
        fc.nat({ max: 5500 }),
        (expiryTimes, capacity, now) => {
          const leases = new Leases();
          for (const [id, expiresAt] of expiryTimes.entries()) leases.add(String(id), 'a caller', expiresAt);
          const listener = { changed: () => {}, reduced: () => {} };
          const pool = new LocalSlotPool({
            capacity,
            clock: new VirtualClock(),
            availableFrom: 0,
            listener,
            leases,
          });
          expect(pool.earliestGrantAt(0, now)).toBe(
            earliestGrantAt(leases.expiryTimes(capacity, now, now), capacity, 0, now),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });
});
