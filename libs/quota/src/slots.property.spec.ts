import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../test/virtual-clock.js';
import { earliest, IN_FLIGHT } from './earliest.js';
import { Leases } from './leases.js';
import { Slots } from './slots.js';

const ends = fc.array(fc.oneof(fc.constant(IN_FLIGHT), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 25,
});

describe('when the head of the queue can have a slot at the earliest', () => {
  it('is read off without a look at every slot, and is the same: any leases, any capacity', () => {
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 25 }), fc.nat({ max: 5500 }), (freeAt, capacity, now) => {
        const leases = new Leases();
        for (const [id, end] of freeAt.entries()) leases.enter(String(id), 'somebody', end);
        const listener = { changed: () => {}, lowered: () => {} };
        const slots = new Slots({ capacity, clock: new VirtualClock(), openAt: 0, listener, leases });
        expect(slots.earliest(0, now)).toBe(earliest(leases.freeAt(capacity, now, now), capacity, 0, now));
      }),
      { numRuns: 5000 },
    );
  });
});
